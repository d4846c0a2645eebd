"""Cancel a service and withdraw that: once per key, after a step-up, for the customer's own services only."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa

from portal_app.domain.subscriptions.cancellation import cancellation_schedule
from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import let_the_proof_age
from tests.support.clients.cancelling import WHY, cancel, keep, path_of, put_back
from tests.support.clients.visitor import Visitor, mailed

__all__ = ["put_back"]


async def test_a_cancellation_is_scheduled_shown_everywhere_and_withdrawn(ben: Visitor, worker: Portal) -> None:
    path = await path_of(ben)
    before = (await ben.get(path)).json()
    wanted = cancellation_schedule(datetime.now(UTC), cut_off=25)
    assert before["if_cancelled"]["ends_on"] == wanted.ends_on.isoformat()
    answer = await cancel(ben, path)
    taken = answer.json()
    assert (answer.status_code, taken["state"], taken["ends_on"]) == (201, "scheduled", wanted.ends_on.isoformat())
    assert (await ben.get(answer.headers["location"])).json() == taken
    shown = (await ben.get(path)).json()
    assert (shown["cancellation"], shown["if_cancelled"], shown["status"]) == (taken, None, "active")
    assert (await ben.get("/api/subscriptions")).json()["items"][0]["cancellation"] == taken
    summary = (await ben.get("/api/me/summary")).json()
    assert summary["services"][0]["cancellation"]["state"] == "scheduled"
    task = next(task for task in summary["tasks"] if task["kind"] == "service_ends")
    assert (task["id"], task["on"]) == (str(shown["id"]), taken["ends_on"])
    mail = await mailed(worker, ben.email)
    assert (mail["occasion"], mail["last_day"]) == ("cancellation_scheduled", taken["ends_on"])
    again = await cancel(ben, path)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    kept = await keep(ben, path)
    assert (kept.status_code, kept.json()["state"]) == (200, "withdrawn")
    assert (await mailed(worker, ben.email))["occasion"] == "cancellation_withdrawn"
    assert (await keep(ben, path)).status_code == 404
    assert (await ben.get(path)).json()["if_cancelled"] == before["if_cancelled"]


async def test_twenty_concurrent_calls_with_one_key_are_one_cancellation(ben: Visitor) -> None:
    path, key, back = await path_of(ben), uuid4().hex, uuid4().hex
    answers = await asyncio.gather(*(cancel(ben, path, key) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await cancel(ben, path, key, reason="price")).json()["code"] == "idempotency_key_reused"
    kept = await asyncio.gather(*(keep(ben, path, back) for _ in range(5)))
    assert {(answer.status_code, answer.content) for answer in kept} == {(200, kept[0].content)}


async def test_concurrent_calls_with_two_keys_are_one_cancellation(ben: Visitor) -> None:
    path = await path_of(ben)
    answers = await asyncio.gather(*(cancel(ben, path) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert (await keep(ben, path)).status_code == 200


async def test_a_cancellation_needs_a_step_up_and_a_withdrawal_does_not(ben: Visitor, portal: Portal) -> None:
    path = await path_of(ben)
    await let_the_proof_age(portal, ben)
    refused = await cancel(ben, path)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_needed")
    await ben.sign_in(ben.email)
    assert (await cancel(ben, path)).status_code == 201
    await let_the_proof_age(portal, ben)
    assert (await keep(ben, path)).status_code == 200


async def test_what_is_missing_or_wrong_is_named(ben: Visitor) -> None:
    path = await path_of(ben)
    answer = await ben.call("POST", f"{path}/cancellation", WHY, Idempotency_Key="")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert set((await cancel(ben, path, reason="because")).json()["fields"]) == {"reason"}
    assert (await cancel(ben, path, ends_on="2020-01-01")).status_code == 422
    assert set((await cancel(ben, path, "short")).json()["fields"]) == {"Idempotency-Key"}


async def test_somebody_elses_service_is_not_found_by_any_method(ben: Visitor, aiko: Visitor) -> None:
    path = await path_of(ben)
    assert (await cancel(ben, path)).status_code == 201
    for number in (path.rpartition("/")[2], "987654", "1e3"):
        theirs = f"/api/subscriptions/{number}"
        for answer in (await cancel(aiko, theirs), await keep(aiko, theirs), await aiko.get(f"{theirs}/cancellation")):
            assert answer.status_code == 404 and "2" not in answer.json()["detail"]
    assert (await ben.get(f"{path}/cancellation")).json()["state"] == "scheduled"
    assert (await keep(ben, path)).status_code == 200


async def test_a_cancellation_sent_to_the_vendors_cannot_be_withdrawn(ben: Visitor, worker: Portal) -> None:
    path = await path_of(ben)
    assert (await cancel(ben, path)).status_code == 201
    move = sa.text("UPDATE cancellations SET state = :to WHERE state = :was")
    async with worker.database.unit_of_work() as session:
        await (await session.connection()).execute(move, {"was": "scheduled", "to": "sending"})
    late = await keep(ben, path)
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    async with worker.database.unit_of_work() as session:
        await (await session.connection()).execute(move, {"was": "sending", "to": "scheduled"})
    assert (await keep(ben, path)).status_code == 200


async def test_a_service_shows_the_invoices_that_bill_it(ben: Visitor) -> None:
    shown = (await ben.get(await path_of(ben))).json()
    assert [row["status"] for row in shown["invoices"]] == ["unpaid", "paid"]
    assert shown["fields"] == []
