"""Changing a line at the API: price, option and plan checked, one change at a time, and nobody else's line."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
import sqlalchemy as sa

from portal_app.domain.errors import ExternalRejected
from portal_app.infra.clock import now, today
from portal_app.models.line_change import LINE_PLACE, LineChangeRow
from portal_app.wiring.portal import Portal
from tests.contract.api.sim.conftest import DATA, DOUBTFUL, FAMILY, VOICE, forget_reading
from tests.support.clients.visitor import Visitor
from tests.support.running.world import world

CALL_WAITING = {"option": "call_waiting", "on": True, "total": 330}
PLAN = {"sku": "SIM-DATA-VOICE-25GB", "total": 3850}


@pytest_asyncio.fixture
async def lines(sato: Visitor, worker: Portal, services: dict[str, int]) -> AsyncIterator[dict[str, int]]:
    """Her services with lines that were just read; no worker runs here, so what is asked for is taken away."""

    async def clear() -> None:
        async with worker.database.unit_of_work() as session:
            for table in ("line_orders", "line_changes"):
                await (await session.connection()).execute(sa.text(f"DELETE FROM {table}"))

    await clear()
    for number in (VOICE, DATA, FAMILY):
        await forget_reading(worker, services[number])
        await sato.get(f"/api/subscriptions/{services[number]}/sim")
    yield services
    await clear()


async def ask(visitor: Visitor, service_id: int, what: str, body: Any, *, key: str = "") -> Any:
    path = f"/api/subscriptions/{service_id}/sim/{what}"
    return await visitor.call("POST", path, body, Idempotency_Key=key or uuid4().hex)


@pytest.mark.parametrize(
    ("what", "body", "fields"),
    [
        ("options", {}, ["on", "option", "total"]),
        ("options", CALL_WAITING | {"option": "fax"}, ["option"]),
        ("options", CALL_WAITING | {"on": "true"}, ["on"]),
        ("options", CALL_WAITING | {"total": True}, ["total"]),
        ("options", {"option": "roaming", "on": True, "total": 220}, ["understood"]),
        ("network", {"network": "3G"}, ["network"]),
        ("plan", {"sku": "SIM-DATA-VOICE-25GB"}, ["total"]),
    ],
)
async def test_bad_input_is_named_and_makes_nothing(
    sato: Visitor, lines: dict[str, int], what: str, body: Any, fields: list[str]
) -> None:
    answer = await ask(sato, lines[VOICE], what, body)
    assert (answer.status_code, sorted(answer.json()["fields"])) == (422, fields)
    assert (await sato.get(f"/api/subscriptions/{lines[VOICE]}/sim/changes")).json()["items"] == []


async def test_an_option_is_taken_once_at_its_price_and_one_change_at_a_time(
    sato: Visitor, lines: dict[str, int]
) -> None:
    base = f"/api/subscriptions/{lines[VOICE]}/sim"
    shown = {each["option"]: each for each in (await sato.get(f"{base}/options")).json()["items"]}
    assert {name: (each["on"], each["price_with_tax"]["minor"]) for name, each in shown.items()} == {
        "voice_mail": (True, 330), "call_waiting": (False, 330), "roaming": (False, 220),
    }  # fmt: skip
    assert [name for name, each in shown.items() if each["warns"]] == ["roaming"]
    changed = await ask(sato, lines[VOICE], "options", CALL_WAITING | {"total": 300})
    assert (changed.status_code, changed.json()["code"]) == (409, "offer_changed")
    same = await ask(sato, lines[VOICE], "options", {"option": "voice_mail", "on": True, "total": 330})
    assert (same.status_code, same.json()["code"]) == (409, "line_set_already")
    key = uuid4().hex
    first = await ask(sato, lines[VOICE], "options", CALL_WAITING, key=key)
    again = await ask(sato, lines[VOICE], "options", CALL_WAITING, key=key)
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert (first.json()["standing"], first.json()["price"]["minor"]) == ("under_way", 300)
    for what, body in (("options", CALL_WAITING), ("network", {"network": "4G"})):
        second = await ask(sato, lines[VOICE], what, body)
        assert (second.status_code, second.json()["code"]) == (409, "line_order_under_way")
    late = await sato.call("DELETE", f"{base}/changes/{first.json()['id']}", Idempotency_Key=uuid4().hex)
    assert (late.status_code, late.json()["code"]) == (409, "sent_already")
    # A plan change waits beside it.
    assert (await ask(sato, lines[VOICE], "plan", PLAN)).status_code == 201


async def test_data_lines_have_no_options_and_other_lines_no_change(
    sato: Visitor, ben: Visitor, visitor: Visitor, lines: dict[str, int]
) -> None:
    bodies = {"options": CALL_WAITING, "network": {"network": "5G"}, "plan": PLAN}
    assert (await sato.get(f"/api/subscriptions/{lines[DATA]}/sim/options")).status_code == 404
    assert (await ask(sato, lines[DATA], "options", CALL_WAITING)).status_code == 404
    # Another kind, another family, the present plan, no plan at all.
    for number, sku in ((DATA, PLAN["sku"]), (FAMILY, PLAN["sku"]), (VOICE, "SIM-DATA-VOICE-10GB"), (VOICE, "x")):
        assert (await ask(sato, lines[number], "plan", {"sku": sku, "total": 3850})).status_code == 404
    made = (await ask(sato, lines[VOICE], "plan", PLAN)).json()["id"]
    for what, body in bodies.items():
        assert (await ask(sato, lines[DOUBTFUL], what, body)).status_code == 404, "not linked"
        assert (await ask(ben, lines[VOICE], what, body)).status_code == 404
        assert (await ask(visitor, lines[VOICE], what, body)).status_code == 401
    for path in ("options", "plans", "changes"):
        assert (await ben.get(f"/api/subscriptions/{lines[VOICE]}/sim/{path}")).status_code == 404
        assert (await visitor.get(f"/api/subscriptions/{lines[VOICE]}/sim/{path}")).status_code == 401
    for number in (lines[VOICE], lines[DATA]):
        path = f"/api/subscriptions/{number}/sim/changes/{made if number == lines[DATA] else uuid4()}"
        assert (await sato.call("DELETE", path, Idempotency_Key=uuid4().hex)).status_code == 404
    own = f"/api/subscriptions/{lines[VOICE]}/sim/changes/{made}"
    assert (await ben.call("DELETE", own, Idempotency_Key=uuid4().hex)).status_code == 404


@pytest.mark.parametrize("body", [{"state": "unknown"}, {"state": "suspended"}, {"ends_on": "2099-01-01"}])
async def test_a_line_that_is_not_known_to_be_active_is_not_changed(
    sato: Visitor, worker: Portal, lines: dict[str, int], body: dict[str, str]
) -> None:
    async with worker.database.unit_of_work() as session:
        change = sa.text("UPDATE sim_lines SET body = body || CAST(:body AS jsonb) WHERE service_id = :id")
        await (await session.connection()).execute(change, {"body": json.dumps(body), "id": lines[VOICE]})
    for what, wanted in (("options", CALL_WAITING), ("network", {"network": "4G"}), ("plan", PLAN)):
        answer = await ask(sato, lines[VOICE], what, wanted)
        assert (answer.status_code, answer.json()["code"]) == (409, "line_not_active")


async def test_a_state_word_nobody_knows_blocks_changes(sato: Visitor, worker: Portal, lines: dict[str, int]) -> None:
    world().set_faults("freebit", special={"odd_state": 1})
    await forget_reading(worker, lines[VOICE])
    assert (await sato.get(f"/api/subscriptions/{lines[VOICE]}/sim")).json()["state"] == "unknown"
    answer = await ask(sato, lines[VOICE], "network", {"network": "4G"})
    assert (answer.status_code, answer.json()["code"]) == (409, "line_not_active")


async def test_a_locked_line_tells_its_minutes_and_a_queued_wish_is_withdrawn(
    sato: Visitor, worker: Portal, lines: dict[str, int]
) -> None:
    moment, line = now(), worker.identity.secrets.ring.index(VOICE, LINE_PLACE)
    row = LineChangeRow(
        line=line, kind="network", token=uuid4(), started_at=moment, held_until=moment + timedelta(minutes=21)
    )
    async with worker.database.unit_of_work() as session:
        session.add(row)
    refused = await ask(sato, lines[VOICE], "network", {"network": "4G"})
    assert (refused.status_code, refused.json()["code"]) == (409, "line_locked")
    assert "21 minutes" in refused.json()["detail"]
    queued = await ask(sato, lines[VOICE], "network", {"network": "4G", "when_free": True})
    assert (queued.status_code, queued.json()["standing"]) == (201, "queued")
    base = f"/api/subscriptions/{lines[VOICE]}/sim/changes"
    taken_back = await sato.call("DELETE", f"{base}/{queued.json()['id']}", Idempotency_Key=uuid4().hex)
    assert taken_back.json()["standing"] == "withdrawn"
    assert [each["standing"] for each in (await sato.get(base)).json()["items"]] == ["withdrawn"]


async def test_both_bills_are_shown_and_a_held_plan_is_withdrawn_and_taken_again(
    sato: Visitor, lines: dict[str, int]
) -> None:
    base = f"/api/subscriptions/{lines[VOICE]}/sim"
    shown = (await sato.get(f"{base}/plans")).json()
    assert (shown["present"]["sku"], shown["present"]["price_with_tax"]["minor"]) == ("SIM-DATA-VOICE-10GB", 2805)
    assert [(each["sku"], each["data_mb"]) for each in shown["items"]] == [
        ("SIM-DATA-VOICE-5GB", 5 * 1024), ("SIM-DATA-VOICE-25GB", 25 * 1024), ("SIM-DATA-VOICE-50GB", 50 * 1024),
    ]  # fmt: skip
    assert shown["starts_on"].endswith("-01")
    first = (await ask(sato, lines[VOICE], "plan", PLAN)).json()
    assert (first["standing"], first["effective_on"], first["sends_at"]) == (
        "held", shown["starts_on"], shown["sends_at"],
    )  # fmt: skip
    assert (await ask(sato, lines[VOICE], "plan", PLAN)).json()["code"] == "line_order_under_way"
    path, key = f"{base}/changes/{first['id']}", uuid4().hex
    for _ in range(2):
        assert (await sato.call("DELETE", path, Idempotency_Key=key)).json()["standing"] == "withdrawn"
    assert (await sato.call("DELETE", path, Idempotency_Key=uuid4().hex)).status_code == 409
    assert (await ask(sato, lines[VOICE], "plan", PLAN)).status_code == 201


async def test_an_option_that_stays_covered_is_told_once(sato: Visitor, worker: Portal, lines: dict[str, int]) -> None:
    """WHMCS ends a service in the run of its day: until then the option is looked at each hour."""
    order, own = UUID((await ask(sato, lines[VOICE], "options", CALL_WAITING)).json()["id"]), worker.line_orders
    query = sa.text("SELECT count(*) FROM mails WHERE occasion = 'line_changed'")

    async def mails() -> int:
        async with worker.database.unit_of_work() as session:
            return int(await (await session.connection()).scalar(query) or 0)

    before, told = await mails(), []
    for state in ("ordering", "covered", "ordering", "covered", "ordering", "done"):
        changes = {"bill_from": now()} if state == "covered" else {}
        await own.progress.move(order, state, **changes)  # type: ignore[arg-type]
        told.append(await mails() - before)
    assert told == [0, 1, 1, 1, 1, 1]


async def test_an_option_of_a_line_that_ends_is_not_ordered_behind_its_cancellation(
    sato: Visitor, worker: Portal, lines: dict[str, int]
) -> None:
    order, own = UUID((await ask(sato, lines[VOICE], "options", CALL_WAITING)).json()["id"]), worker.line_orders
    await own.progress.move(order, "ordering", shown_at=now())
    path = f"/api/subscriptions/{lines[VOICE]}/cancellation"
    asked = await sato.call("POST", path, {"reason": "price"}, Idempotency_Key=uuid4().hex)
    assert asked.status_code == 201, asked.text
    try:
        with pytest.raises(ExternalRejected):
            await own.option_billing.order(order)
    finally:
        assert (await sato.call("DELETE", path, Idempotency_Key=uuid4().hex)).status_code == 200


async def test_a_plan_that_the_carrier_took_before_a_worker_died_is_billed_after_the_1st(
    sato: Visitor, worker: Portal, lines: dict[str, int]
) -> None:
    order, own = UUID((await ask(sato, lines[VOICE], "plan", PLAN)).json()["id"]), worker.line_orders
    moment, line = now(), worker.identity.secrets.ring.index(VOICE, LINE_PLACE)
    row = LineChangeRow(line=line, kind="plan", token=uuid4(), started_at=moment, held_until=moment)
    row.wanted = {"next_plan": "PASI_V25G", "next_plan_on": today().isoformat()}
    async with worker.database.unit_of_work() as session:
        session.add(row)
    await own.progress.move(order, "sending", effective_on=today())
    assert await own.carrier.send(order) == "changing"
    async with worker.database.unit_of_work() as session:
        await LineChangeRow.delete(session, line, ("plan",))
    await own.progress.move(order, "sending", sent_at=None)
    assert await own.carrier.send(order) == "failed", "nothing was sent, and the line has the old plan"
