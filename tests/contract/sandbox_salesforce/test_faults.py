"""Faults over REST."""

import re
from typing import Any

import httpx
import pytest

from sandbox.faults import FaultSettings
from tests.contract.sandbox_salesforce.running import Org


async def test_org_that_is_down_shows_a_maintenance_page(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", FaultSettings(down=True))

    answer = await api.get("/limits")

    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")


async def test_failing_call_is_an_unknown_exception(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", FaultSettings(flaky=1, operations=["create:Account"]))

    failed = await api.post("/sobjects/Account", json={"Name": "A"})
    other = await api.get("/limits")

    assert (failed.status_code, failed.json()[0]["errorCode"]) == (500, "UNKNOWN_EXCEPTION")
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/sobjects/Account", "create:Account"),
        ("PATCH", "/sobjects/account/SF_Account_No__c/C1", "upsert:Account"),
    ],
)
async def test_lost_answer_is_a_cut_connection_after_the_write(
    org: Org, api: httpx.AsyncClient, method: str, path: str, operation: str
) -> None:
    org.faults.set("salesforce", FaultSettings(lose_answers=1, operations=[operation]))

    with pytest.raises(httpx.RemoteProtocolError):
        await api.request(method, path, json={"Name": "A"})

    assert len(org.sandbox.rows.query("SELECT Id FROM Account")) == 1


async def test_locked_row_refuses_the_write_once(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", FaultSettings(special={"lock_row": 1}))

    locked = await api.post("/sobjects/Account", json={"Name": "A"})
    free = await api.post("/sobjects/Account", json={"Name": "A"})

    assert (locked.status_code, locked.json()[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")
    assert free.status_code == 201


async def test_daily_limit_refuses_everything(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", FaultSettings(special={"daily_limit": -1}))

    answer = await api.get("/query", params={"q": "SELECT Id FROM Account"})

    refusal = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert (answer.status_code, answer.json()) == (403, refusal)


async def test_a_lock_inside_a_composite_is_reported_by_its_part(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", FaultSettings(special={"lock_row": 1}))
    url = "/services/data/v62.0/sobjects/Account"
    parts = [{"method": "POST", "url": url, "referenceId": "a", "body": {"Name": "A"}}]

    answer = await api.post("/composite", json={"allOrNone": True, "compositeRequest": parts})
    again = await api.post("/composite", json={"allOrNone": True, "compositeRequest": parts})

    (result,) = answer.json()["compositeResponse"]
    assert (answer.status_code, result["httpStatusCode"]) == (200, 400)
    assert result["body"][0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    assert again.json()["compositeResponse"][0]["httpStatusCode"] == 201


@pytest.mark.parametrize(
    ("switch", "method", "path", "status", "code"),
    [
        ("session_never_valid", "GET", "/limits", 401, "INVALID_SESSION_ID"),
        ("concurrent_limit", "GET", "/limits", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("server_unavailable", "GET", "/limits", 503, "SERVER_UNAVAILABLE"),
        ("query_timeout", "GET", "/query?q=SELECT+Id+FROM+Account", 400, "QUERY_TIMEOUT"),
        ("stale_cursor", "GET", "/query/01gxx-2000", 400, "INVALID_QUERY_LOCATOR"),
        ("field_too_long", "POST", "/sobjects/Account", 400, "STRING_TOO_LONG"),
        ("validation_rule", "POST", "/sobjects/Account", 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        ("duplicates_detected", "POST", "/sobjects/Account", 400, "DUPLICATES_DETECTED"),
        ("trigger_failed", "POST", "/sobjects/Account", 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
        ("publish_limit", "POST", "/sobjects/Order_Fulfilment_Requested__e", 400, "LIMIT_EXCEEDED"),
    ],
)
async def test_switch_refuses_one_call(
    org: Org, api: httpx.AsyncClient, switch: str, method: str, path: str, status: int, code: str
) -> None:
    org.faults.set("salesforce", FaultSettings(special={switch: 1}))
    body: Any = {"json": {"Name": "Sato"} if "Account" in path else {}} if method == "POST" else {}

    refused = await api.request(method, path, **body)
    again = await api.request(method, path, **body)

    assert (refused.status_code, refused.json()[0]["errorCode"]) == (status, code)
    assert again.status_code < 300 or switch == "stale_cursor"


async def test_external_id_can_be_made_to_match_twice(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", FaultSettings(special={"several_matches": 1}))

    answer = await api.patch("/sobjects/Account/SF_Account_No__c/C1", json={"Name": "A"})

    assert answer.status_code == 300 and len(answer.json()) == 2
    assert org.sandbox.rows.query("SELECT Id FROM Account") == []


async def test_used_requests_run_into_the_daily_limit(org: Org, api: httpx.AsyncClient) -> None:
    left = (await api.get("/limits")).json()["DailyApiRequests"]["Remaining"]
    org.faults.set("salesforce", FaultSettings(special={"requests_used": left - 1}))

    last = await api.get("/limits")
    beyond = await api.get("/limits")

    assert last.headers["sforce-limit-info"] == "api-usage=100000/100000"
    assert (beyond.status_code, beyond.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")


async def test_small_pages_are_smaller_than_asked_for(org: Org, api: httpx.AsyncClient) -> None:
    for name in "ABC":
        org.sandbox.rows.create("Account", {"Name": name})
    org.faults.set("salesforce", FaultSettings(special={"small_pages": -1}))

    page = (await api.get("/query", params={"q": "SELECT Name FROM Account"})).json()
    rest = (await api.get(org.http_url + page["nextRecordsUrl"])).json()

    assert (len(page["records"]), page["done"], len(rest["records"]), rest["done"]) == (2, False, 1, True)


async def test_login_can_be_refused(org: Org) -> None:
    org.faults.set("salesforce", FaultSettings(special={"login_refused": 1}))

    with pytest.raises(AssertionError, match="approved this consumer"):
        await org.token()


async def test_broken_vendor_gets_well_after_so_many_calls(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", FaultSettings(broken="html", times=2))

    answers = [await api.get("/limits") for _ in range(3)]

    assert [bool(re.match("<!DOCTYPE", answer.text)) for answer in answers] == [True, True, False]
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize(
    ("broken", "error"),
    [("half", httpx.RemoteProtocolError), ("refused", (httpx.ReadError, httpx.RemoteProtocolError))],
)
async def test_broken_connection_tells_nothing_whole(org: Org, api: httpx.AsyncClient, broken: Any, error: Any) -> None:
    org.faults.set("salesforce", FaultSettings(broken=broken))

    with pytest.raises(error):
        await api.post("/sobjects/Account", json={"Name": "A"})

    assert len(org.sandbox.rows.query("SELECT Id FROM Account")) == (1 if broken == "half" else 0)


async def test_silent_vendor_never_answers(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", FaultSettings(broken="silence", operations=["limits"]))

    with pytest.raises(httpx.ReadTimeout):
        await api.get("/limits", timeout=0.3)
    assert (await api.get("/sobjects")).status_code == 200


def test_unknown_switch_is_refused(org: Org) -> None:
    with pytest.raises(ValueError, match="no switch 'nonsense'"):
        org.faults.set("salesforce", FaultSettings(special={"nonsense": 1}))


@pytest.mark.parametrize(
    ("special", "body", "status"),
    [
        ({"validation_rule": 1}, b'{"Name": "A"}', 400),
        ({"lock_row": 1}, b'{"Name": "A"}', 400),
        ({}, b"no json", 400),
        ({}, b'{"Nothing__c": 1}', 400),
    ],
)
async def test_a_refused_call_is_counted_and_tells_the_usage(
    org: Org, api: httpx.AsyncClient, special: dict[str, int], body: bytes, status: int
) -> None:
    before = (await api.get("/limits")).headers["sforce-limit-info"]
    org.faults.set("salesforce", FaultSettings(special=special))

    answer = await api.post("/sobjects/Account", content=body)

    used, most = (int(part) for part in before.removeprefix("api-usage=").split("/"))
    assert answer.status_code == status
    assert answer.headers["sforce-limit-info"] == f"api-usage={used + 1}/{most}"


@pytest.mark.parametrize(("switch", "told"), [("daily_limit", True), ("session_never_valid", False)])
async def test_a_refusal_tells_the_usage_to_those_with_a_session(
    org: Org, api: httpx.AsyncClient, switch: str, told: bool
) -> None:
    org.faults.set("salesforce", FaultSettings(special={switch: 1}))

    answer = await api.get("/limits")

    assert answer.status_code in (401, 403)
    assert ("sforce-limit-info" in answer.headers) == told
