"""What changed within a span, and the org's own row."""

from datetime import timedelta

import httpx
import pytest

from tests.contract.sandbox_salesforce.running import Org


async def test_a_span_tells_what_was_changed_and_what_was_deleted(org: Org, api: httpx.AsyncClient) -> None:
    rows = org.sandbox.rows
    old, changed, gone = (rows.create("Account", {"Name": name}) for name in "ABC")
    org.clock.advance(timedelta(hours=1))
    start = org.clock.now() - timedelta(minutes=5)
    rows.update("Account", changed, {"Phone": "1"})
    new = rows.create("Account", {"Name": "D"})
    rows.delete("Account", gone)
    span = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}

    updated = (await api.get("/sobjects/Account/updated/", params=span)).json()
    deleted = (await api.get("/sobjects/Account/deleted/", params=span)).json()
    before = {"start": (start - timedelta(minutes=2)).isoformat(), "end": span["start"]}

    assert (set(updated["ids"]), old in updated["ids"]) == ({changed, new}, False)
    assert [record["id"] for record in deleted["deletedRecords"]] == [gone]
    assert deleted["earliestDateAvailable"] < deleted["deletedRecords"][0]["deletedDate"] < deleted["latestDateCovered"]
    assert (await api.get("/sobjects/Account/updated", params=before)).json()["ids"] == []


@pytest.mark.parametrize(
    ("start", "minutes", "code"),
    [
        (timedelta(days=-31), 5, "INVALID_REPLICATION_DATE"),
        (timedelta(), 0, "INVALID_REPLICATION_DATE"),
        (timedelta(), None, "INVALID_FIELD"),
    ],
)
async def test_a_span_that_cannot_be_told_is_refused(
    org: Org, api: httpx.AsyncClient, start: timedelta, minutes: int | None, code: str
) -> None:
    first = org.clock.now() + start
    end = {} if minutes is None else {"end": (first + timedelta(minutes=minutes)).isoformat()}

    for path in ("updated", "deleted"):
        answer = await api.get(f"/sobjects/Account/{path}", params={"start": first.isoformat()} | end)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


async def test_the_org_is_one_row_that_nobody_writes(org: Org, api: httpx.AsyncClient) -> None:
    query = "SELECT Id, Name, IsSandbox, OrganizationType FROM Organization"
    (row,) = (await api.get("/query", params={"q": query})).json()["records"]

    made = await api.post("/sobjects/Organization", json={})
    changed = await api.patch(f"/sobjects/Organization/{row['Id']}", json={"Name": "B"})
    deleted = await api.delete(f"/sobjects/Organization/{row['Id']}")

    assert (row["Id"][:15], row["IsSandbox"]) == (org.settings.sf_org_id[:15], True)
    assert [answer.status_code for answer in (made, changed, deleted)] == [400, 400, 400]
