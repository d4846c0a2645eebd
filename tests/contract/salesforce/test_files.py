"""Files of records at the sandbox's Salesforce: streamed part by part, found again, a damaged one replaced."""

from dataclasses import replace
from uuid import uuid4

import pytest

from portal_app.domain.errors import ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.files import SalesforceFiles
from sandbox.faults import FaultSettings
from tests.support.running.vendor_servers import RunningSandbox
from tests.support.values.stored_files import CONTENT, FILE, PARTS, Sink, read

pytestmark = pytest.mark.usefixtures("healthy_salesforce")


@pytest.fixture
def files(sandbox: RunningSandbox, client: SalesforceClient) -> SalesforceFiles:
    return SalesforceFiles(client, sandbox.settings.model_copy(update={"sf_file_megabytes": 1}))


@pytest.fixture
async def case_id(client: SalesforceClient) -> str:
    return await client.upsert("Case", "Portal_Reference__c", str(uuid4()), {"Subject": "Files"})


async def test_a_file_is_found_after_a_lost_answer_and_a_damaged_one_is_deleted(
    files: SalesforceFiles, sandbox: RunningSandbox, case_id: str
) -> None:
    file = replace(FILE, upload_id=uuid4())
    assert await files.stored(file) is None
    sandbox.faults.set("salesforce", FaultSettings(lose_answers=1))
    with pytest.raises(OutcomeUnknown):
        await files.store(case_id, file, read)
    sandbox.faults.set("salesforce", FaultSettings())
    document = await files.stored(file)
    assert document is not None
    remote = await files.file(document)
    assert (remote.size, remote.md5, remote.links) == (file.size, file.md5, {case_id: False})
    assert await files.stored(replace(file, md5="0" * 32)) is None
    with pytest.raises(NotFound):
        await files.file(document)


async def test_a_file_comes_whole_or_not_at_all(
    files: SalesforceFiles, client: SalesforceClient, sandbox: RunningSandbox, case_id: str
) -> None:
    file, sink = replace(FILE, upload_id=uuid4()), Sink()
    await files.store(case_id, file, read)
    version = (await files.file(str(await files.stored(file)))).version_id
    await files.fetch(version, sink)
    assert (sink.content == CONTENT, sink.begun) == (True, 1)
    sandbox.faults.set("salesforce", FaultSettings(broken="half"))
    with pytest.raises(ExternalUnavailable):
        await files.fetch(version, sink)
    assert len(sink.content) < len(CONTENT) and sink.begun > 1
    sandbox.faults.set("salesforce", FaultSettings())
    large = replace(FILE, upload_id=uuid4(), size=1_200_000, parts=12)

    async def repeated(number: int) -> bytes:
        return PARTS[number % 3]

    await files.store(case_id, large, repeated)
    rows = await client.query(
        "SELECT Id FROM ContentVersion WHERE Description = {mark}", mark=f"portal:{large.upload_id}"
    )
    with pytest.raises(ExternalUnavailable, match="larger than SF_FILE_MEGABYTES"):
        await files.fetch(str(rows[0]["Id"]), Sink())
    with pytest.raises(NotFound):
        await files.fetch("068xx0000009999AAA", Sink())


async def test_a_file_for_a_case_that_is_gone_is_not_refused_for_good(
    files: SalesforceFiles, client: SalesforceClient, case_id: str
) -> None:
    await client.long_call("delete", lambda api: api.restful(f"sobjects/Case/{case_id}", method="DELETE"), safe=True)
    with pytest.raises(NotFound):
        await files.store(case_id, replace(FILE, upload_id=uuid4()), read)


async def test_a_file_is_stored_with_an_account_as_with_a_case(
    files: SalesforceFiles, client: SalesforceClient
) -> None:
    account = await client.upsert("Account", "SF_Account_No__c", f"F{uuid4().int % 10**8:08}", {"Name": "Files"})
    file = replace(FILE, upload_id=uuid4())
    await files.store(account, file, read)
    assert (await files.file(str(await files.stored(file)))).links == {account: False}
