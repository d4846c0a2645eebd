"""Alerts of a line at the API and by the carrier's file, and automatic top-up: whose, with which proof, how often."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
import sqlalchemy as sa

from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.usage import MB
from portal_app.infra.clock import now, today
from portal_app.wiring.portal import Portal
from tests.contract.api.sim.conftest import DOUBTFUL, FAMILY, VOICE, act, calls, forget_reading
from tests.support.clients.api_steps import let_the_proof_age
from tests.support.clients.visitor import Visitor

WANTED = {"amount": 1024, "unit": "mb"}
CHOICE = {"gigabytes": 2, "threshold_mb": 1024, "cap": 3300, "total": 1100}


def path_of(service_id: int, rest: str = "alerts") -> str:
    return f"/api/subscriptions/{service_id}/sim/{rest}"


async def send(visitor: Visitor, method: str, path: str, body: Any = None, *, key: str = "") -> Any:
    return await visitor.call(method, path, body, Idempotency_Key=key or uuid4().hex)


async def run(worker: Portal, statement: str, **values: Any) -> list[Any]:
    async with worker.database.unit_of_work() as session:
        found = await (await session.connection()).execute(sa.text(statement), values)
        return list(found.all()) if found.returns_rows else []


@pytest_asyncio.fixture
async def clean(worker: Portal, services: dict[str, int]) -> AsyncIterator[None]:
    """Lines without alerts, choices or purchases, before and after."""

    async def forget() -> None:
        for table in ("line_alerts", "auto_top_ups", "top_ups"):
            await run(worker, f"DELETE FROM {table} WHERE service_id = ANY(:ids)", ids=list(services.values()))
        await run(worker, "DELETE FROM notices WHERE kind LIKE 'line_alert%' OR kind LIKE 'auto_top_up%'")

    await forget()
    yield
    await forget()


async def told(worker: Portal, kind: str) -> tuple[int, int]:
    """Count the notices and the mails of a kind."""
    ((notices, mails),) = await run(
        worker,
        "SELECT (SELECT count(*) FROM notices WHERE kind = :kind), (SELECT count(*) FROM mails WHERE occasion = :kind)",
        kind=kind,
    )
    return notices, mails


async def tell(worker: Portal, ids: list[int]) -> tuple[int, int]:
    """Judge and tell as the worker's workflow does; return how many fired and how many were told."""
    fired, count = await worker.sim.alerts.judge(ids), 0
    while some := await worker.sim.alerts.tell(ids):
        count += some
    return fired, count


async def test_alerts_are_set_changed_and_removed_by_their_owner_alone(
    sato: Visitor, ben: Visitor, services: dict[str, int], clean: None
) -> None:
    path = path_of(services[VOICE])
    assert (await sato.get(path)).json()["items"] == []
    (first,) = (await send(sato, "PUT", f"{path}/left", WANTED)).json()["items"]
    assert (first["kind"], first["amount"], first["unit"], first["fired_at"]) == ("left", 1024, "mb", None)
    again = await send(sato, "PUT", f"{path}/left", WANTED)
    assert again.json()["items"] == [first], "the same again changes nothing"
    await send(sato, "PUT", f"{path}/left", {"amount": 20, "unit": "percent"})
    await send(sato, "PUT", f"{path}/forecast", {"amount": 0, "unit": "none"})
    every = await send(sato, "PUT", f"{path}/spend", {"amount": 1000, "unit": "yen"})
    units = [(each["kind"], each["unit"]) for each in every.json()["items"]]
    assert units == [("forecast", "none"), ("left", "percent"), ("spend", "yen")]
    for number in (services[DOUBTFUL], 987654):
        assert (await send(sato, "PUT", f"{path_of(number)}/left", WANTED)).status_code == 404
    for call in (("GET", path, None), ("PUT", f"{path}/left", WANTED), ("DELETE", f"{path}/left", None)):
        assert (await send(ben, *call)).status_code == 404
    assert (await send(sato, "DELETE", f"{path}/left")).status_code == 200
    assert len((await send(sato, "DELETE", f"{path}/left")).json()["items"]) == 2


async def test_two_tabs_that_set_the_first_alert_or_choice_at_once_both_succeed(
    sato: Visitor, services: dict[str, int], clean: None
) -> None:
    base = path_of(services[VOICE], "")
    for path, bodies in (
        ("alerts/left", [WANTED | {"amount": amount} for amount in range(1000, 1008)]),
        ("auto-top-up", [CHOICE | {"cap": cap} for cap in range(3300, 3308)]),
    ):
        answers = await asyncio.gather(*(send(sato, "PUT", f"{base}{path}", body) for body in bodies))
        assert [each.status_code for each in answers] == [200] * len(bodies)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("left", {"amount": 0.5, "unit": "mb"}), ("left", {"amount": 10**9, "unit": "mb"}),
        ("left", {"amount": None, "unit": "mb"}), ("left", {"amount": 100, "unit": "percent"}),
        ("spend", {"amount": -1, "unit": "yen"}), ("calls", WANTED), ("left", {"amount": 1024}),
    ],
)  # fmt: skip
async def test_other_alerts_make_nothing(sato: Visitor, services: dict[str, int], kind: str, body: Any) -> None:
    assert (await send(sato, "PUT", f"{path_of(services[VOICE])}/{kind}", body)).status_code == 422
    assert (await sato.get(path_of(services[VOICE]))).json()["items"] == []


async def test_nobody_without_a_session_or_a_key_changes_anything(
    portal: Portal, sato: Visitor, services: dict[str, int]
) -> None:
    stranger = Visitor(portal.settings)
    for call in (
        ("GET", path_of(services[VOICE]), None), ("PUT", path_of(services[VOICE], "alerts/left"), WANTED),
        ("GET", path_of(services[VOICE], "auto-top-up"), None),
        ("PUT", path_of(services[VOICE], "auto-top-up"), CHOICE),
        ("DELETE", path_of(services[VOICE], "auto-top-up"), None),
    ):  # fmt: skip
        assert (await send(stranger, *call)).status_code == 401
    await stranger.http.aclose()
    keyless = await sato.call("PUT", path_of(services[VOICE], "alerts/left"), WANTED, Idempotency_Key="")
    assert keyless.status_code == 400


async def test_the_carriers_file_sets_alerts_off_once_and_asks_the_carrier_nothing(
    sato: Visitor, worker: Portal, services: dict[str, int], clean: None
) -> None:
    line, before, mails = services[FAMILY], await calls(), (await told(worker, "line_alert_left"))[1]
    # On every day of a month no more than the plan's data are left of it.
    await send(sato, "PUT", f"{path_of(line)}/left", {"amount": 5 * 1024, "unit": "mb"})
    await run(worker, "UPDATE sim_lines SET body = '{}', read_at = now() WHERE service_id = :id", id=line)
    await run(worker, "DELETE FROM sim_readings WHERE service_id = :id", id=line)
    assert await tell(worker, [line]) == (0, 0), "nothing is known of it"
    for back, fired in ((1, 1), (1, 0), (2, 0)):
        day = today() - timedelta(days=back)
        await worker.sim.usage_imports.run(f"account,date,traffic\n{FAMILY},{day:%Y%m%d},1024".encode())
        assert await tell(worker, [line]) == (fired, fired), f"{back} days ago"
    assert await told(worker, "line_alert_left") == (1, mails + 1)
    assert (await sato.get(path_of(line))).json()["items"][0]["fired_at"] is not None
    assert await calls() == before
    await run(worker, "UPDATE sim_lines SET read_at = NULL WHERE service_id = :id", id=line)


async def test_a_visit_has_a_watched_line_looked_at_and_the_night_keeps_what_it_read(
    sato: Visitor, worker: Portal, services: dict[str, int], clean: None
) -> None:
    line, jobs = services[FAMILY], "SELECT count(*) FROM dbos.workflow_status WHERE name = 'watch_lines'"
    counts = []
    for _ in range(2):
        await forget_reading(worker, line)
        assert (await sato.get(path_of(line, "")[:-1])).json()["as_of"] is None
        counts.append((await run(worker, jobs))[0][0])
        await send(sato, "PUT", f"{path_of(line)}/left", WANTED)
    assert counts[1] == counts[0] + 1, "only where somebody watches"
    query = "SELECT body->>'left_mb', body->>'told_at' FROM sim_lines WHERE service_id = :id"
    told_before = await run(worker, query, id=line)
    await act(FAMILY, "use", mb=300)
    await worker.sim.reconcile.compare(line)
    assert await run(worker, query, id=line) == told_before, "today's use was not read with it"


async def test_money_of_this_month_is_told_by_the_topics_own_choices(
    sato: Visitor, worker: Portal, services: dict[str, int], clean: None
) -> None:
    line, mails = services[VOICE], (await told(worker, "line_alert_spend"))[1]
    await send(sato, "PUT", f"{path_of(line)}/spend", {"amount": 1100, "unit": "yen"})
    await sato.call("PATCH", "/api/me/notifications", {"items": [{"topic": "billing", "mail": False}]})
    await _paid(worker, sato, line, 1099)
    assert await tell(worker, [line]) == (0, 0)
    await _paid(worker, sato, line, 1)
    assert await tell(worker, [line]) == (1, 1)
    await _paid(worker, sato, line, 5000)
    assert await tell(worker, [line]) == (0, 0), "once a month"
    assert await told(worker, "line_alert_spend") == (1, mails)
    await sato.call("PATCH", "/api/me/notifications", {"items": [{"topic": "billing", "mail": True}]})


async def test_automatic_top_up_needs_a_proof_and_the_present_price_and_ends_without(
    sato: Visitor, ben: Visitor, portal: Portal, services: dict[str, int], clean: None
) -> None:
    path = path_of(services[VOICE], "auto-top-up")
    assert (await sato.get(path)).json()["is_on"] is False
    await let_the_proof_age(portal, sato)
    assert (await send(sato, "PUT", path, CHOICE)).json()["code"] == "step_up_needed"
    assert (await sato.get(path)).json()["gigabytes"] is None
    await sato.sign_in("hana@example.jp")
    refused = await send(sato, "PUT", path, CHOICE | {"total": 1000})
    assert (refused.status_code, refused.json()["code"]) == (409, "offer_changed")
    low = await send(sato, "PUT", path, CHOICE | {"cap": 1099})
    assert (low.status_code, list(low.json()["fields"])) == (422, ["cap"])
    shown = (await send(sato, "PUT", path, CHOICE)).json()
    told = (shown["is_on"], shown["gigabytes"], shown["threshold_mb"], shown["total"]["minor"], shown["cap"]["minor"])
    assert told == (True, 2, 1024, 1100, 3300)
    for call in (("GET", path, None), ("PUT", path, CHOICE), ("DELETE", path, None)):
        assert (await send(ben, *call)).status_code == 404
    await let_the_proof_age(portal, sato)
    off = await send(sato, "DELETE", path)
    assert (off.status_code, off.json()["is_on"], off.json()["off_reason"]) == (200, False, "you")
    await sato.sign_in("hana@example.jp")


async def test_data_are_bought_by_themselves_once_for_a_reading_and_never_beside_another(
    sato: Visitor, worker: Portal, services: dict[str, int], clean: None
) -> None:
    line, own = services[VOICE], worker.sim.auto_top_ups
    assert (await send(sato, "PUT", path_of(line, "auto-top-up"), CHOICE)).status_code == 200
    assert await own.on_of(list(services.values())) == [line]
    before = await calls()
    await _read(worker, line, left_mb=1025)
    assert await own.start(line) == "enough"
    await _read(worker, line, left_mb=1024)
    assert [await own.start(line) for _ in range(2)] == ["start", "under_way"]
    ((state, automatic, total),) = await run(
        worker, "SELECT state, is_automatic, total FROM top_ups WHERE service_id = :id", id=line
    )
    assert (state, automatic, total) == ("asked", True, 1100)
    assert (await sato.get(path_of(line, "auto-top-up"))).json()["spent"]["minor"] == 1100
    by_hand = await send(sato, "POST", path_of(line, "top-ups"), {"gigabytes": 1, "total": 550})
    assert (by_hand.status_code, by_hand.json()["code"]) == (409, "top_up_under_way")
    await run(
        worker, "UPDATE top_ups SET state = 'done', paid_at = :at, delivered_at = :at WHERE service_id = :id",
        at=now(), id=line,
    )  # fmt: skip
    assert await own.start(line) == "enough", "the data that came count before anything is read"
    await _paid(worker, sato, line, 1101)
    await _read(worker, line, left_mb=1000)
    mails = (await told(worker, "auto_top_up_cap"))[1]
    await run(worker, "DELETE FROM reminders WHERE kind = 'auto_top_up_cap'")
    assert [await own.start(line) for _ in range(2)] == ["cap", "cap"], "what was bought by hand counts"
    assert await told(worker, "auto_top_up_cap") == (1, mails + 1)
    await send(sato, "DELETE", path_of(line, "auto-top-up"))
    assert await own.start(line) == "off"
    assert await calls() == before
    await run(worker, "UPDATE sim_lines SET read_at = NULL WHERE service_id = :id", id=line)


async def test_a_price_that_rose_turns_it_off_and_buys_nothing(
    sato: Visitor, worker: Portal, services: dict[str, int], clean: None
) -> None:
    line = services[VOICE]
    await send(sato, "PUT", path_of(line, "auto-top-up"), CHOICE)
    await run(worker, "UPDATE auto_top_ups SET total = 1000 WHERE service_id = :id", id=line)
    await _read(worker, line, left_mb=5)
    assert await worker.sim.auto_top_ups.start(line) == "price_changed"
    shown = (await sato.get(path_of(line, "auto-top-up"))).json()
    assert (shown["is_on"], shown["off_reason"]) == (False, "price_changed")
    assert await run(worker, "SELECT id FROM top_ups WHERE service_id = :id", id=line) == []
    await run(worker, "UPDATE sim_lines SET read_at = NULL WHERE service_id = :id", id=line)


async def _read(worker: Portal, service_id: int, *, left_mb: int) -> None:
    """Store what a visit of the page would read now."""
    snapshot = LineSnapshot(state="active", left_mb=left_mb, today_bytes=MB, top_ups=(), told_at=now())
    await run(
        worker, "UPDATE sim_lines SET body = CAST(:body AS jsonb), read_at = now() WHERE service_id = :id",
        body=_json(snapshot), id=service_id,
    )  # fmt: skip


async def _paid(worker: Portal, somebody: Visitor, service_id: int, total: int) -> None:
    """Store a purchase of this month that was paid and delivered an hour ago, or when the month began."""
    user_id: UUID = worker.identity.sessions.read_access_token(somebody.cookie("access")).user_id
    await run(
        worker,
        "INSERT INTO top_ups (id, user_id, service_id, line, gigabytes, total, currency, state, reason, gateway,"
        " data_sends, asked_at, paid_at, delivered_at) VALUES (gen_random_uuid(), :user, :service, 'x', 1, :total,"
        " 'JPY', 'done', '', '', 1, :at, :at, :at)",
        user=user_id, service=service_id, total=total, at=now(),
    )  # fmt: skip


def _json(snapshot: LineSnapshot) -> str:
    return json.dumps(snapshot.to_json())
