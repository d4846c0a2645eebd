"""Bad days over REST."""

import httpx
import pytest

from sandbox.faults import Mood
from tests.contract.sandbox_salesforce.running import Org


async def test_org_that_is_down_shows_a_maintenance_page(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", Mood(down=True))

    answer = await api.get("/limits")

    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")


async def test_failing_call_is_an_unknown_exception(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", Mood(flaky=1, operations=["create:Account"]))

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
    org.faults.set("salesforce", Mood(lose_answers=1, operations=[operation]))

    with pytest.raises(httpx.RemoteProtocolError):
        await api.request(method, path, json={"Name": "A"})

    assert len(org.sandbox.rows.query("SELECT Id FROM Account")) == 1


async def test_locked_row_refuses_the_write_once(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", Mood(special={"lock_row": 1}))

    locked = await api.post("/sobjects/Account", json={"Name": "A"})
    free = await api.post("/sobjects/Account", json={"Name": "A"})

    assert (locked.status_code, locked.json()[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")
    assert free.status_code == 201


async def test_daily_limit_refuses_everything(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", Mood(special={"daily_limit": -1}))

    answer = await api.get("/query", params={"q": "SELECT Id FROM Account"})

    refusal = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert (answer.status_code, answer.json()) == (403, refusal)


async def test_lock_inside_a_composite_is_told_by_its_part(org: Org, api: httpx.AsyncClient) -> None:
    org.faults.set("salesforce", Mood(special={"lock_row": 1}))
    url = "/services/data/v62.0/sobjects/Account"
    parts = [{"method": "POST", "url": url, "referenceId": "a", "body": {"Name": "A"}}]

    answer = await api.post("/composite", json={"allOrNone": True, "compositeRequest": parts})
    again = await api.post("/composite", json={"allOrNone": True, "compositeRequest": parts})

    (told,) = answer.json()["compositeResponse"]
    assert (answer.status_code, told["httpStatusCode"]) == (200, 400)
    assert told["body"][0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    assert again.json()["compositeResponse"][0]["httpStatusCode"] == 201
