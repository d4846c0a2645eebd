"""Files of records, stored and fetched at the sandbox's Salesforce."""

from uuid import uuid4

import pytest

from portal_app.domain.errors import ExternalUnavailable, InvalidInput, NotFound, OutcomeUnknown
from portal_app.domain.profile.kyc_document import Document
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.files import SalesforceFiles
from portal_app.integrations.salesforce.kyc import SalesforceKyc
from sandbox.faults import FaultSettings
from tests.support.running.vendor_servers import RunningSandbox

CONTENT = bytes(range(256)) * 5000
MEGABYTE = 1024 * 1024

pytestmark = pytest.mark.usefixtures("healthy_salesforce")


@pytest.fixture
def files(sandbox: RunningSandbox, client: SalesforceClient) -> SalesforceFiles:
    return SalesforceFiles(client, sandbox.settings.model_copy(update={"sf_file_megabytes": 2}))


@pytest.fixture
async def case_id(client: SalesforceClient) -> str:
    """A record of its own for every test."""
    return await client.upsert("Account", "SF_Account_No__c", f"F{uuid4().int % 10**8:08}", {"Name": "Files"})


async def test_a_stored_file_is_listed_with_its_record_and_comes_back_whole(
    files: SalesforceFiles, case_id: str
) -> None:
    assert await files.attached(case_id) == []
    first = await files.store(case_id, name="写真 '1\".jpg", content=CONTENT, media_type="image/jpeg")
    second = await files.store(case_id, name="b.txt", content=b"x", media_type="text/plain")
    listed = {file.version_id: (file.name, file.size) for file in await files.attached(case_id)}
    assert listed == {first: ("写真 '1\".jpg", len(CONTENT)), second: ("b.txt", 1)}
    assert (await files.content(first), await files.content(second)) == (CONTENT, b"x")


@pytest.mark.parametrize("size", [0, 2 * MEGABYTE + 1])
async def test_an_empty_or_too_large_file_is_refused_before_it_is_sent(
    files: SalesforceFiles, case_id: str, size: int
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await files.store(case_id, name="a.bin", content=b"x" * size, media_type="application/octet-stream")
    assert "file" in caught.value.fields
    assert await files.attached(case_id) == []


async def test_a_file_beyond_the_limit_is_not_fetched(
    files: SalesforceFiles, client: SalesforceClient, sandbox: RunningSandbox, case_id: str
) -> None:
    large = await files.store(case_id, name="a", content=b"x" * (MEGABYTE + 1), media_type="text/plain")
    strict = SalesforceFiles(client, sandbox.settings.model_copy(update={"sf_file_megabytes": 1}))
    with pytest.raises(ExternalUnavailable, match="larger than SF_FILE_MEGABYTES"):
        await strict.content(large)


@pytest.mark.parametrize("unknown", ["068xx0000009999AAA", "not-an-id", "../../query"])
async def test_an_unknown_file_or_record_is_not_found(files: SalesforceFiles, unknown: str) -> None:
    with pytest.raises(NotFound):
        await files.content(unknown)


async def test_a_file_whose_answer_was_lost_is_seen_among_those_of_its_record(
    files: SalesforceFiles, sandbox: RunningSandbox, case_id: str
) -> None:
    sandbox.faults.set("salesforce", FaultSettings(lose_answers=1))
    with pytest.raises(OutcomeUnknown):
        await files.store(case_id, name="once.txt", content=b"once", media_type="text/plain")
    sandbox.faults.set("salesforce", FaultSettings())
    (found,) = await files.attached(case_id)
    assert (found.name, await files.content(found.version_id)) == ("once.txt", b"once")


async def test_a_document_whose_answer_was_lost_is_not_stored_twice(
    files: SalesforceFiles, client: SalesforceClient, sandbox: RunningSandbox, case_id: str
) -> None:
    kyc, document, number = SalesforceKyc(client, files), Document("pdf", b"%PDF"), uuid4()
    sandbox.faults.set("salesforce", FaultSettings(lose_answers=1))
    with pytest.raises(OutcomeUnknown):
        await kyc.store(case_id, document, document_id=number)
    sandbox.faults.set("salesforce", FaultSettings())
    await kyc.store(case_id, document, document_id=number)
    assert [file.name for file in await files.attached(case_id)] == [f"identity-{number}.pdf"]
