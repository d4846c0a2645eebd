"""Login and the REST wire to Salesforce against answers it really gives, and some that no server should."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from redis.asyncio import Redis
from structlog.testing import capture_logs

from portal_app.domain.errors import ExternalUnavailable, InvalidInput, NotFound, OutcomeUnknown
from portal_app.infra.settings import Settings
from portal_app.integrations.http import vendor_client
from portal_app.integrations.lane_gates import PRIORITIES, Priority
from portal_app.integrations.lanes import Lane, lane_priority
from portal_app.integrations.line import Busy, Misconfigured, VendorLine
from portal_app.integrations.salesforce.answers import external_id_path
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.faults import SalesforceRejected
from portal_app.integrations.salesforce.files import SalesforceFiles
from portal_app.integrations.salesforce.login import LOGINS_PER_MINUTE, SalesforceLogin
from tests.contract.lanes.scripted_server import ScriptedServer, Slowly, half, http, scripted_server

ORDER = "801xx0000000001AAA"
EXPIRED = http([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)
ROWS = http({"totalSize": 1, "done": True, "records": [{"Id": ORDER}]})
HTML = http(b"<html>maintenance</html>", 503)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("key") / "key.pem"
    path.write_bytes(pem)
    return path


@pytest.fixture
def settings(server: ScriptedServer, key_file: Path) -> Settings:
    return Settings(
        portal_env="development",
        sf_login_url=server.url,
        sf_client_id="consumer",
        sf_username="portal@example.jp",
        sf_private_key_file=str(key_file),
        sf_timeout=0.5,
        sf_threads=3,
    )


@pytest.fixture
async def client(settings: Settings, redis: Redis) -> AsyncIterator[SalesforceClient]:
    login = SalesforceLogin(settings, vendor_client(timeout=0.5))
    lane = Lane(redis, "salesforce", concurrency=9, rate="1000/minute", queue=90, timeout=2.0)
    client = SalesforceClient(settings, login, VendorLine("salesforce", lane, timeout=1.0))
    yield client
    await client.aclose()
    await login.aclose()


def token(server: ScriptedServer, value: str = "00D!first") -> bytes:
    answer = {"access_token": value, "instance_url": server.url, "id": "https://x/id/00Dxx0000000001EAA/005xx"}
    return http(answer)


def by_path(server: ScriptedServer, rest: Callable[[dict[str, str]], bytes] | bytes) -> Callable[[dict], bytes]:
    """Answer logins with a fresh token each, and everything else as told."""
    logins = iter(range(100))

    def answer(form: dict[str, str]) -> bytes:
        if "/oauth2/token" in server.asked[-1]:
            return token(server, f"00D!token{next(logins)}")
        return rest(form) if callable(rest) else rest

    return answer


def logins(server: ScriptedServer) -> int:
    return sum("/oauth2/token" in asked for asked in server.asked)


async def find(client: SalesforceClient) -> list:
    return await client.query("SELECT Id FROM Order WHERE Name = {name}", name="O'Brien \\ x")


async def test_the_login_is_signed_and_every_call_carries_its_token(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(by_path(server, ROWS))
    assert (await find(client))[0]["Id"] == ORDER
    claims = server.requests[0]["assertion"].split(".")[1]
    told = json.loads(urlsafe_b64decode(claims + "=="))
    assert (told["iss"], told["sub"], told["aud"]) == ("consumer", "portal@example.jp", server.url)
    assert isinstance(told["exp"], int)
    assert server.headers[1]["authorization"] == "Bearer 00D!token0"
    assert server.headers[1]["sforce-call-options"] == "client=portal"


async def test_values_are_bound_and_escaped(client: SalesforceClient, server: ScriptedServer) -> None:
    server.script(by_path(server, ROWS))
    await find(client)
    assert "%27O%5C%27Brien+%5C%5C+x%27" in server.asked[1]


async def test_many_calls_at_once_log_in_once(client: SalesforceClient, server: ScriptedServer) -> None:
    server.script(by_path(server, ROWS))
    await asyncio.gather(*(find(client) for _ in range(8)))
    assert logins(server) == 1


async def test_an_expired_session_is_renewed_once_for_all_who_met_it(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(by_path(server, lambda form: EXPIRED if "token0" in server.headers[-1]["authorization"] else ROWS))
    assert all(await asyncio.gather(*(find(client) for _ in range(8))))
    assert logins(server) == 2


async def test_a_session_that_is_never_accepted_does_not_lead_to_endless_logins(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(by_path(server, EXPIRED))
    for _ in range(8):
        with pytest.raises(ExternalUnavailable):
            await find(client)
    assert logins(server) <= LOGINS_PER_MINUTE


async def test_a_401_of_another_kind_does_not_log_in_again(client: SalesforceClient, server: ScriptedServer) -> None:
    text = "This session is not valid for use with the REST API"
    server.script(by_path(server, http([{"message": text, "errorCode": "INVALID_SESSION_ID"}], 401)))
    with pytest.raises(Misconfigured):
        await find(client)
    assert logins(server) == 1


@pytest.mark.parametrize(
    "refusal", [{"error": "invalid_grant", "error_description": "user hasn't approved"}, {"error": "invalid_client_id"}]
)
async def test_a_refused_login_is_our_outage(client: SalesforceClient, server: ScriptedServer, refusal: dict) -> None:
    server.script(http(refusal, 400))
    with pytest.raises(Misconfigured):
        await find(client)
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [HTML, http(b"[]"), http({"access_token": "x"}), half(b"{")])
async def test_a_login_answered_with_nonsense_is_unavailable(
    client: SalesforceClient, server: ScriptedServer, answer: bytes
) -> None:
    server.script(answer)
    with pytest.raises(ExternalUnavailable):
        await find(client)


async def test_a_missing_key_file_is_our_outage(settings: Settings) -> None:
    wrong = settings.model_copy(update={"sf_private_key_file": "/nowhere.pem"})
    login = SalesforceLogin(wrong, vendor_client(timeout=0.5))
    with pytest.raises(Misconfigured):
        await login.session()
    await login.aclose()


@pytest.mark.parametrize("answer", [HTML, http(b"<html>"), half(b'{"records'), http({"records": 1}), http(b"", 500)])
async def test_a_senseless_answer_to_a_read_is_unavailable(
    client: SalesforceClient, server: ScriptedServer, answer: bytes
) -> None:
    server.script(by_path(server, answer))
    with pytest.raises(ExternalUnavailable):
        await find(client)
    assert len(server.asked) >= 3


@pytest.mark.parametrize("answer", [HTML, http(b"<html>"), half(b'{"compos'), http({"compositeResponse": 1})])
async def test_a_senseless_answer_to_a_write_leaves_its_outcome_unknown(
    client: SalesforceClient, server: ScriptedServer, answer: bytes
) -> None:
    server.script(by_path(server, answer))
    with pytest.raises(OutcomeUnknown):
        await client.composite("create", [Part("order", "POST", "sobjects/Order", {})], safe=False)
    assert len(server.asked) == 2


async def test_silence_times_out(client: SalesforceClient, server: ScriptedServer) -> None:
    def rest(form: dict[str, str]) -> bytes:
        server.pause = 3.0
        return ROWS

    server.script(by_path(server, rest))
    await find(client)
    with pytest.raises(OutcomeUnknown):
        await client.composite("create", [Part("order", "POST", "sobjects/Order", {})], safe=False)


async def test_nobody_listening_means_that_nothing_was_written(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    answer = {"access_token": "x", "instance_url": "http://127.0.0.1:1", "id": "https://x/id/00Dxx0000000001EAA/005"}
    server.script(http(answer))
    with pytest.raises(ExternalUnavailable):
        await client.composite("create", [Part("order", "POST", "sobjects/Order", {})], safe=False)


async def test_a_locked_row_is_tried_again(client: SalesforceClient, server: ScriptedServer) -> None:
    locked = http([{"message": "unable to obtain exclusive access", "errorCode": "UNABLE_TO_LOCK_ROW"}], 400)
    answers = iter([locked, ROWS])
    server.script(by_path(server, lambda form: next(answers)))
    assert await find(client)


async def test_the_daily_limit_is_not_tried_again(client: SalesforceClient, server: ScriptedServer) -> None:
    limit = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    server.script(by_path(server, http(limit, 403)))
    with pytest.raises(ExternalUnavailable) as caught:
        await find(client)
    assert caught.value.retry_after == 3600 and len(server.asked) == 2


async def test_a_refusal_names_code_and_fields_but_no_values(client: SalesforceClient, server: ScriptedServer) -> None:
    told = {"message": "Name: data value too large: Hanako", "errorCode": "STRING_TOO_LONG", "fields": ["Name"]}
    server.script(by_path(server, http([told], 400)))
    with capture_logs() as logs, pytest.raises(SalesforceRejected) as caught:
        await client.update("Account", ORDER, {"Name": "Hanako"})
    assert (caught.value.error_code, caught.value.fields) == ("STRING_TOO_LONG", ("Name",))
    assert "Hanako" not in f"{caught.value!r}{caught.value.__cause__!r}{logs}"


async def test_the_cause_of_a_composite_failure_is_told_not_its_consequences(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    halted = [{"errorCode": "PROCESSING_HALTED", "message": "rolled back"}]
    cause = [{"errorCode": "FIELD_INTEGRITY_EXCEPTION", "message": "no"}]
    parts = [{"referenceId": name, "httpStatusCode": 400, "body": body} for name, body in (("a", halted), ("b", cause))]
    server.script(by_path(server, http({"compositeResponse": parts})))
    with pytest.raises(SalesforceRejected) as caught:
        await client.composite("create", [Part("a", "POST", "sobjects/Order", {})], safe=False)
    assert caught.value.error_code == "FIELD_INTEGRITY_EXCEPTION"


async def test_every_page_of_a_query_is_fetched(client: SalesforceClient, server: ScriptedServer) -> None:
    first = {"totalSize": 2, "done": False, "nextRecordsUrl": "/services/data/v62.0/query/01g-1"}
    server.script(
        by_path(server, lambda form: ROWS if "01g-1" in server.asked[-1] else http(first | {"records": [{"Id": "a"}]}))
    )
    assert [row["Id"] for row in await find(client)] == ["a", ORDER]


@pytest.mark.parametrize("hostile", ["https://evil.example/", "../../x", "", "801xx0000000001AAB", "801xx\n000000001"])
async def test_an_id_that_is_none_is_never_sent(client: SalesforceClient, server: ScriptedServer, hostile: str) -> None:
    server.script(by_path(server, ROWS))
    with pytest.raises(NotFound):
        await client.read("Order", hostile, ["Id"])
    with pytest.raises(NotFound):
        await client.update("Order", hostile, {})
    assert server.asked == []


async def test_no_other_host_ever_sees_the_token(client: SalesforceClient, server: ScriptedServer) -> None:
    async with scripted_server() as other:
        page = {"totalSize": 2, "done": False, "nextRecordsUrl": f"@127.0.0.1:{other.port}/x", "records": []}
        server.script(by_path(server, http(page)))
        with pytest.raises(ExternalUnavailable):
            await find(client)
        assert other.asked == []


def test_external_ids_are_encoded() -> None:
    assert external_id_path("Account", "N__c", "a/b +ü") == "sobjects/Account/N__c/a%2Fb%20%2B%C3%BC"


async def test_a_query_whose_cursor_ran_out_is_begun_again_once(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    page = http({"done": False, "nextRecordsUrl": "/services/data/v62.0/query/01g-1", "records": [{"Id": "a"}]})
    gone = http([{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}], 400)
    answers = iter([page, gone, page, ROWS])
    server.script(by_path(server, lambda form: next(answers)))
    assert [row["Id"] for row in await find(client)] == ["a", ORDER]


@pytest.mark.parametrize(
    "answers",
    [
        [http({"id": ORDER, "success": True, "created": True}, 201)],
        [http({"id": ORDER, "success": True, "created": False})],
        [http(b"", 204), http({"Id": ORDER})],
    ],
)
async def test_an_upsert_tells_the_id_in_every_version(
    client: SalesforceClient, server: ScriptedServer, answers: list[bytes]
) -> None:
    told = iter(answers)
    server.script(by_path(server, lambda form: next(told)))
    assert await client.upsert("Order", "Portal_Order_Id__c", "a/b", {"Status": "Draft"}) == ORDER
    assert server.asked[1] == "PATCH /services/data/v62.0/sobjects/Order/Portal_Order_Id__c/a%2Fb"


async def test_an_upsert_that_meets_several_records_is_refused(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(by_path(server, http(["/services/data/v62.0/sobjects/Order/801xx0000000001AAA"], 300)))
    with pytest.raises(SalesforceRejected, match="DUPLICATE_EXTERNAL_ID"):
        await client.upsert("Order", "Portal_Order_Id__c", "x", {})


async def test_a_file_travels_in_two_parts_and_its_size_is_limited(
    client: SalesforceClient, server: ScriptedServer, settings: Settings
) -> None:
    files = SalesforceFiles(client, settings.model_copy(update={"sf_file_megabytes": 1}))
    server.script(by_path(server, http({"id": "068xx0000000001AAA", "success": True}, 201)))
    content = b"%PDF-1.7 \x00\xff"
    stored = await files.store(ORDER, name="カード.pdf", content=content, media_type="application/pdf")
    assert stored == "068xx0000000001AAA"
    assert server.headers[-1]["content-type"].startswith("multipart/form-data; boundary=")
    assert content in server.bodies[-1] and b'"FirstPublishLocationId": "' + ORDER.encode() in server.bodies[-1]
    sent = len(server.asked)
    for wrong in (b"", b"x" * (1024 * 1024 + 1)):
        with pytest.raises(InvalidInput):
            await files.store(ORDER, name="x", content=wrong, media_type="text/plain")
    assert len(server.asked) == sent


async def test_a_file_is_fetched_whole_and_never_beyond_the_limit(
    client: SalesforceClient, server: ScriptedServer, settings: Settings
) -> None:
    files = SalesforceFiles(client, settings.model_copy(update={"sf_file_megabytes": 1}))
    server.script(by_path(server, http(b"\x00\xff" * 1000)))
    assert await files.content("068xx0000000001AAA") == b"\x00\xff" * 1000
    server.script(by_path(server, http(b"x" * (1024 * 1024 + 1))))
    with pytest.raises(ExternalUnavailable, match="larger"):
        await files.content("068xx0000000001AAA")


async def test_a_thread_is_free_again_when_a_slow_answer_was_given_up(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(by_path(server, Slowly(ROWS)))
    with pytest.raises(ExternalUnavailable):
        await find(client)
    async with asyncio.timeout(2):
        await client.aclose()


@pytest.mark.parametrize(("used", "stopped"), [(79, ()), (80, ("sync",)), (95, ("sync", "background"))])
async def test_work_stops_by_its_urgency_as_the_day_is_used_up(
    client: SalesforceClient, server: ScriptedServer, used: int, stopped: tuple[str, ...]
) -> None:
    server.script(by_path(server, http({"records": []}, Sforce_Limit_Info=f"api-usage={used}/100")))
    await find(client)

    async def is_stopped(priority: Priority) -> bool:
        lane_priority.set(priority)
        try:
            await find(client)
        except Busy as error:
            return error.retry_after == 600
        return False

    found = [each for each in PRIORITIES if await asyncio.create_task(is_stopped(each))]
    assert sorted(found) == sorted(stopped)
