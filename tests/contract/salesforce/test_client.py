"""The Salesforce REST client against valid and malformed answers."""

import asyncio
import json
import re
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.infra.settings import Settings
from portal_app.integrations import salesforce
from portal_app.integrations.salesforce.budget import DailyBudget
from portal_app.integrations.salesforce.cases import SalesforceCases
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.errors import SalesforceRejected
from portal_app.integrations.salesforce.files import SalesforceFiles
from portal_app.integrations.salesforce.responses import external_id_path
from portal_app.integrations.throttling.call_limits import PRIORITIES, Priority
from portal_app.integrations.throttling.limiter import call_priority
from portal_app.integrations.throttling.vendor_call import Busy
from tests.contract.salesforce.scripted import (
    HTML,
    ORDER,
    ROWS,
    Limiters,
    by_path,
    client,
    find,
    key_file,
    limiters,
    server,
    settings,
)
from tests.support.values.stored_files import CONTENT, FILE, Sink, read
from tests.support.vendors.scripted_server import ScriptedServer, Slowly, half, http, scripted_server

SOMEBODY = "Hanako"
__all__ = ["client", "key_file", "limiters", "server", "settings"]


def test_the_guide_asks_for_every_object_that_is_read_or_written() -> None:
    written = "".join(path.read_text() for path in Path(salesforce.__file__).parent.glob("*.py"))
    used = set(re.findall(r'(?:FROM |sobjects/|(?:read|update|upsert)\(")([A-Z]\w+)', written))
    guide = Path(__file__).parents[3] / "docs" / "integrations" / "salesforce.md"
    asked_for, keys = re.findall(r"\*\*(?:Permissions|External ids)\*\*(.+)", guide.read_text())
    assert len(used) > 9 and used <= set(re.findall(r"\w+", asked_for))
    by_key = set(re.findall(r'(?:external_id_path|upsert)\("(\w+)", "(\w+)"', written))
    assert len(by_key) > 2 and by_key <= set(re.findall(r"`(\w+)\.(\w+)`", keys))


async def test_values_are_bound_and_escaped(client: SalesforceClient, server: ScriptedServer) -> None:
    server.script(by_path(server, ROWS))
    await find(client)
    assert "%27O%5C%27Brien+%5C%5C+x%27" in server.asked[1]


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


async def test_a_locked_row_is_tried_again(
    client: SalesforceClient, server: ScriptedServer, limiters: Limiters
) -> None:
    locked = http([{"message": "unable to obtain exclusive access", "errorCode": "UNABLE_TO_LOCK_ROW"}], 400)
    answers = iter([locked, ROWS])
    server.script(by_path(server, lambda form: next(answers)))
    assert await find(client)
    assert await limiters.slots_taken() == (2, 0)


@pytest.mark.parametrize("usage", [{}, {"Sforce_Limit_Info": "api-usage=17/100000"}], ids=["no usage", "low usage"])
async def test_the_daily_limit_is_not_tried_again_whatever_usage_the_refusal_tells(
    client: SalesforceClient, server: ScriptedServer, usage: dict[str, str]
) -> None:
    limit = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    server.script(by_path(server, http(limit, 403, **usage)))
    with pytest.raises(ExternalUnavailable) as caught:
        await find(client)
    assert caught.value.retry_after == 3600 and len(server.asked) == 2
    with pytest.raises(Busy):
        await find(client)
    assert len(server.asked) == 2


async def test_a_refusal_names_code_and_fields_but_no_values(client: SalesforceClient, server: ScriptedServer) -> None:
    refusal = {"message": f"Name: data value too large: {SOMEBODY}", "errorCode": "STRING_TOO_LONG", "fields": ["Name"]}
    server.script(by_path(server, http([refusal], 400)))
    with capture_logs() as logs, pytest.raises(SalesforceRejected) as caught:
        await client.update("Account", ORDER, {"Name": SOMEBODY})
    assert (caught.value.error_code, caught.value.fields) == ("STRING_TOO_LONG", ("Name",))
    assert SOMEBODY not in f"{traceback.format_exception(caught.value)}{logs}"


async def test_every_part_of_a_composite_says_that_the_portal_writes(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    told = [{"referenceId": name, "httpStatusCode": 204, "body": None} for name in ("a", "b")]
    server.script(by_path(server, http({"compositeResponse": told})))
    await client.composite("write", [Part(name, "PATCH", f"sobjects/Order/{ORDER}", {}) for name in "ab"], safe=True)
    parts = json.loads(server.bodies[-1])["compositeRequest"]
    assert [part["httpHeaders"] for part in parts] == [{"Sforce-Call-Options": "client=portal"}] * 2


async def test_a_composite_failure_reports_its_cause_and_not_its_consequences(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    halted = [{"errorCode": "PROCESSING_HALTED", "message": "rolled back"}]
    cause = [{"errorCode": "FIELD_INTEGRITY_EXCEPTION", "message": "no"}]
    parts = [{"referenceId": name, "httpStatusCode": 400, "body": body} for name, body in (("a", halted), ("b", cause))]
    server.script(by_path(server, http({"compositeResponse": parts})))
    with pytest.raises(SalesforceRejected) as caught:
        await client.composite("create", [Part("a", "POST", "sobjects/Order", {})], safe=False)
    assert caught.value.error_code == "FIELD_INTEGRITY_EXCEPTION"


async def test_every_page_of_a_query_takes_its_own_slot(
    client: SalesforceClient, server: ScriptedServer, limiters: Limiters
) -> None:
    first = {"totalSize": 2, "done": False, "nextRecordsUrl": "/services/data/v62.0/query/01g-1"}
    server.script(
        by_path(server, lambda form: ROWS if "01g-1" in server.asked[-1] else http(first | {"records": [{"Id": "a"}]}))
    )
    assert [row["Id"] for row in await find(client)] == ["a", ORDER]
    assert await limiters.slots_taken() == (2, 0)


async def test_files_and_wide_queries_use_the_limiter_of_long_calls(
    client: SalesforceClient, server: ScriptedServer, settings: Settings, limiters: Limiters
) -> None:
    files = SalesforceFiles(client, settings)
    server.script(by_path(server, http({"id": "068xx0000000001AAA", "records": []}, 201)))
    await client.wide_query("SELECT Id FROM Order")
    await files.store(ORDER, FILE, read)
    await files.fetch("068xx0000000001AAA", Sink())
    assert await limiters.slots_taken() == (0, 3)


@pytest.mark.parametrize("hostile", ["https://evil.example/", "../../x", "", "801xx0000000001AAB", "801xx\n000000001"])
async def test_a_malformed_id_is_never_sent(client: SalesforceClient, server: ScriptedServer, hostile: str) -> None:
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
    assert external_id_path("Account", "N__c", "../..") == "sobjects/Account/N__c/..%2F.."


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_an_external_id_that_would_name_another_place_is_refused(value: str) -> None:
    with pytest.raises(ExternalRejected):
        external_id_path("Account", "N__c", value)


async def test_a_query_whose_cursor_expired_restarts_once(client: SalesforceClient, server: ScriptedServer) -> None:
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
async def test_an_upsert_returns_the_id_in_every_version(
    client: SalesforceClient, server: ScriptedServer, answers: list[bytes]
) -> None:
    refusal = iter(answers)
    server.script(by_path(server, lambda form: next(refusal)))
    assert await client.upsert("Order", "Portal_Order_Id__c", "a/b", {"Status": "Draft"}) == ORDER
    assert server.asked[1] == "PATCH /services/data/v62.0/sobjects/Order/Portal_Order_Id__c/a%2Fb"


async def test_an_upsert_that_meets_several_records_is_refused(
    client: SalesforceClient, server: ScriptedServer
) -> None:
    server.script(by_path(server, http(["/services/data/v62.0/sobjects/Order/801xx0000000001AAA"], 300)))
    with pytest.raises(SalesforceRejected, match="DUPLICATE_EXTERNAL_ID"):
        await client.upsert("Order", "Portal_Order_Id__c", "x", {})


async def test_a_file_travels_in_two_parts_of_known_length(
    client: SalesforceClient, server: ScriptedServer, settings: Settings
) -> None:
    files = SalesforceFiles(client, settings)
    server.script(by_path(server, http({"id": "068xx0000000001AAA", "success": True}, 201)))
    await files.store(ORDER, FILE, read)
    assert server.headers[-1]["content-type"].startswith("multipart/form-data; boundary=")
    assert int(server.headers[-1]["content-length"]) == len(server.bodies[-1])
    assert CONTENT in server.bodies[-1] and b'"FirstPublishLocationId": "' + ORDER.encode() in server.bodies[-1]


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
    client: SalesforceClient,
    server: ScriptedServer,
    settings: Settings,
    redis: Redis,
    used: int,
    stopped: tuple[str, ...],
) -> None:
    server.script(by_path(server, http({"records": []}, Sforce_Limit_Info=f"api-usage={used}/100")))
    await find(client)

    async def is_stopped(priority: Priority, ask: Callable[[], Awaitable[object]]) -> bool:
        call_priority.set(priority)
        try:
            await ask()
        except Busy as error:
            return error.retry_after == 600
        return False

    another_process = DailyBudget(redis, settings)
    for ask in (lambda: find(client), another_process.require_quota):
        found = [each for each in PRIORITIES if await asyncio.create_task(is_stopped(each, ask))]
        assert sorted(found) == sorted(stopped)


async def test_a_limit_that_is_no_number_is_left_alone(settings: Settings, redis: Redis) -> None:
    budget = DailyBudget(redis, settings)
    await budget.record_usage(f"api-usage={'9' * 5000}/9")
    assert budget.state() == {"used": 0, "total": 0}


async def test_what_is_new_in_many_cases_is_read_from_every_page(
    client: SalesforceClient, server: ScriptedServer, settings: Settings
) -> None:
    case, at = "500xx0000000001AAA", "2026-11-30T12:00:00.000+0000"
    first = {"totalSize": 1, "done": False, "nextRecordsUrl": "/services/data/v62.0/query/01g-1", "records": []}
    mail = {"Id": "02sxx0000000001AAA", "ParentId": case, "SystemModstamp": at}
    bodies = {"comments": first | {"done": True}, "mails": first, "files": first | {"done": True}}
    told = [{"referenceId": name, "httpStatusCode": 200, "body": body} for name, body in bodies.items()]
    rows = http({"totalSize": 1, "done": True, "records": [mail]})
    server.script(
        by_path(server, lambda form: http({"compositeResponse": told}) if "composite" in server.asked[-1] else rows)
    )
    found = await SalesforceCases(client, settings).written_since([case], datetime(2026, 11, 30, tzinfo=UTC))
    assert found == {case: datetime.fromisoformat(at)}
