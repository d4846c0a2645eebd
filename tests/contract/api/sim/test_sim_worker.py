"""What the worker does about SIM lines: changes that fail, the nightly comparison, and the carrier's file."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlmodel import select

from portal_app.domain.errors import LineLocked
from portal_app.domain.sim.usage_file import BadUsageFile
from portal_app.infra.clock import now, today
from portal_app.models.line_change import LINE_PLACE, LineChangeRow
from portal_app.models.notice import NoticeRow
from portal_app.models.sim_line import SimLineRow
from portal_app.models.sim_reading import SimReading
from portal_app.wiring.portal import Portal
from tests.contract.api.sim.conftest import DATA, DOUBTFUL, FAMILY, VOICE, act, case_subjects, fail_job, forget_reading
from tests.support.clients.visitor import Visitor


@pytest_asyncio.fixture
async def changed(worker: Portal, services: dict[str, int]) -> AsyncIterator[None]:
    """Lines without a change under way, before and after."""

    async def forget() -> None:
        async with worker.database.unit_of_work() as session:
            await (await session.connection()).execute(sa.delete(LineChangeRow))

    await forget()
    yield
    await forget()


async def write_change(worker: Portal, number: str, kind: str, wanted: dict[str, str]) -> None:
    """Note a change that should have been done an hour ago."""
    line = worker.identity.secrets.ring.index(number, LINE_PLACE)
    at = now() - timedelta(hours=2)
    row = LineChangeRow(
        line=line, kind=kind, token=uuid4(), started_at=at, held_until=at + timedelta(hours=1), wanted=wanted
    )
    async with worker.database.unit_of_work() as session:
        session.add(row)


async def change_network(worker: Portal, number: str, network: str) -> None:
    """Note a change of network as `write_change` does."""
    await write_change(worker, number, "network", {"network": network})


async def test_a_change_that_was_not_carried_out_is_told_and_no_longer_locks(
    sato: Visitor, worker: Portal, services: dict[str, int], changed: None
) -> None:
    await change_network(worker, FAMILY, "5G")
    await change_network(worker, VOICE, "5G")
    assert sorted(await worker.sim.changes.overdue()) == sorted([services[FAMILY], services[VOICE]])
    # Hana's eSIM is a 5G line already: that one was done.
    assert await worker.sim.changes.settle(services[VOICE]) == {"network": "done"}
    for _ in range(2):
        await worker.sim.changes.settle(services[FAMILY])
    assert await worker.sim.changes.overdue() == []
    shown = (await sato.get(f"/api/subscriptions/{services[FAMILY]}/sim")).json()["changes"]
    assert shown == [{"kind": "network", "minutes_left": 0, "is_at_most": False, "has_failed": True}]
    async with worker.database.unit_of_work() as session:
        query = select(NoticeRow.subject).where(NoticeRow.kind == "line_change_failed")
        assert list((await session.exec(query)).all()) == [f"…{FAMILY[-4:]}"]
    await worker.vendors.sims.change_plan(FAMILY, "PASI_V10G", starts_on=today() + timedelta(days=40))
    with pytest.raises(LineLocked):
        await worker.vendors.sims.change_plan(FAMILY, "PASI_V25G", starts_on=today() + timedelta(days=40))
    await forget_reading(worker, services[FAMILY])
    shown = (await sato.get(f"/api/subscriptions/{services[FAMILY]}/sim")).json()
    assert [(each["kind"], each["on"]) for each in shown["planned"]] == [
        ("plan_change", str(today() + timedelta(days=40)))
    ]
    assert {each["kind"]: each["minutes_left"] for each in shown["changes"]}["plan"] == 10


async def test_a_failed_voice_change_lifts_both_of_its_locks(
    worker: Portal, services: dict[str, int], changed: None
) -> None:
    await worker.vendors.sims.change_voice(FAMILY, {"voice_mail": False})
    await fail_job(FAMILY)
    with pytest.raises(LineLocked):
        await worker.vendors.sims.change_network(FAMILY, "5G")
    async with worker.database.unit_of_work() as session:
        past = now() - timedelta(minutes=5)
        late = sa.update(LineChangeRow).where(LineChangeRow.kind == "voice-order").values(held_until=past)
        await (await session.connection()).execute(late)
    assert await worker.sim.changes.settle(services[FAMILY]) == {"voice-order": "failed"}
    await worker.vendors.sims.change_voice(FAMILY, {"voice_mail": False})


async def test_every_night_lines_and_services_are_compared(worker: Portal, services: dict[str, int]) -> None:
    reconcile, catalogue = worker.sim.reconcile, services[DATA]
    assert {services[VOICE], services[DATA]} <= set(await reconcile.due())
    assert await reconcile.compare(services[DATA]) is None
    assert services[DATA] not in await reconcile.due(), "each line once a night"
    # Another SIM is corrected by itself, here and where agents read it.
    await act(DATA, "swap_sim")
    assert await reconcile.compare(services[DATA]) is None
    async with worker.database.unit_of_work() as session:
        row = await session.get(SimLineRow, catalogue)
        customer = await _client(session, row.user_id)
    told = await worker.vendors.subscriptions.service_field(customer, catalogue, "Serial Number")
    assert row is not None and told == row.iccid != "8981999000000001020"
    # A number that was moved away is for people: one case, however often it is found.
    await act(DATA, "port_out")
    for _ in range(2):
        assert await reconcile.compare(catalogue) == "line_gone"
        await reconcile.open_case(catalogue, "line_gone")
    assert (await case_subjects()).count(f"SIM line and service differ: service {catalogue}") == 1
    await act(DATA, "port_back")
    assert await reconcile.compare(catalogue) is None


async def test_services_without_a_line_are_looked_at_again_each_night(
    sato: Visitor, worker: Portal, services: dict[str, int]
) -> None:
    user_id = worker.identity.sessions.read_access_token(sato.cookie("access")).user_id
    assert services[DOUBTFUL] not in [service for _, service in await worker.sim.reconcile.unlinked()]
    async with worker.database.unit_of_work() as session:
        row = await session.get(SimLineRow, services[DOUBTFUL])
        assert row is not None
        row.checked_at = now() - timedelta(days=2)
    assert (str(user_id), services[DOUBTFUL]) in await worker.sim.reconcile.unlinked()


async def test_a_number_that_is_linked_belongs_to_nobody_else(
    ben: Visitor, worker: Portal, services: dict[str, int]
) -> None:
    async with worker.database.unit_of_work() as session:
        row = await session.get(SimLineRow, services[VOICE])
        assert row is not None
        customer = await _client(session, row.user_id)
    fields = worker.vendors.subscriptions
    await fields.set_service_fields(customer, services[DOUBTFUL], {"SIM Number": VOICE})
    assert await worker.sim.links.link(row.user_id, services[DOUBTFUL]) == "taken"
    for text, reason in (("", "no_number"), ("none yet", "bad_number"), ("07000000000", "no_line")):
        await fields.set_service_fields(customer, services[DOUBTFUL], {"SIM Number": text})
        assert await worker.sim.links.link(row.user_id, services[DOUBTFUL]) == reason
    await fields.set_service_fields(customer, services[DOUBTFUL], {"SIM Number": DOUBTFUL})


async def _client(session: object, user_id: UUID) -> int:
    query = sa.text("SELECT whmcs_client_id FROM id_mappings WHERE user_id = :user_id")
    return int((await (await session.connection()).execute(query, {"user_id": user_id})).scalar_one())


@pytest.fixture
def days() -> list[str]:
    """The last 40 days as the carrier writes them, oldest first."""
    return [f"{today() - timedelta(days=back):%Y%m%d}" for back in range(40, 0, -1)]


async def test_a_file_of_days_is_imported_once_and_bad_rows_are_told(
    sato: Visitor, worker: Portal, services: dict[str, int], days: list[str]
) -> None:
    good = [f"{VOICE},{day},{300 * 1024}" for day in days]
    bad = [
        f"090,{days[0]},1", f"{VOICE},2026-02-30,1", f"{VOICE},{today():%Y%m%d},1", f"{VOICE},{days[0]},-5",
        f"{VOICE},{days[0]}", f"{VOICE},{days[0]},7", f"07000000000,{days[0]},5",
    ]  # fmt: skip
    text = "\r\n".join(["account,date,traffic", *good, *bad])
    done = await worker.sim.usage_imports.run(text.encode("utf-8-sig"))
    assert (done.rows, done.unknown, done.changed) == (47, 1, 40)
    assert dict(done.problems) == {"number": 1, "day": 1, "future": 1, "amount": 1, "columns": 1, "repeated": 1}
    assert [row.place for row in done.bad] == [42, 43, 44, 45, 46, 47]
    assert (await worker.sim.usage_imports.run(text.encode("utf-8"))).changed == 0
    shown = (await sato.get(f"/api/subscriptions/{services[VOICE]}/sim")).json()
    known = {day["day"].replace("-", ""): day["used_bytes"] for day in shown["days"]}
    assert len(shown["days"]) == 32 and known[days[-1]] == 300 * 1024 * 1024
    # A visit does not replace what the file told.
    await forget_reading(worker, services[VOICE])
    again = (await sato.get(f"/api/subscriptions/{services[VOICE]}/sim")).json()
    assert {day["day"].replace("-", ""): day["used_bytes"] for day in again["days"]}[days[-1]] == known[days[-1]]


async def test_a_day_in_another_unit_is_set_aside(
    sato: Visitor, worker: Portal, services: dict[str, int], days: list[str]
) -> None:
    rows = [f"{FAMILY},{day},{150 * 1024}" for day in days[:-1]] + [f"{FAMILY},{days[-1]},{150 * 1024 * 1000}"]
    text = "\n".join(["\u96fb\u8a71\u756a\u53f7,account,date,traffic", *(f"\u30e1\u30e2,{row}" for row in rows)])
    assert (await worker.sim.usage_imports.run(text.encode("cp932"))).changed == 40
    async with worker.database.unit_of_work() as session:
        odd = await session.get(SimReading, (services[FAMILY], today() - timedelta(days=1)))
    assert odd is not None and odd.is_set_aside
    shown = (await sato.get(f"/api/subscriptions/{services[FAMILY]}/sim")).json()["days"]
    assert (shown[-2]["used_bytes"], shown[-3]["used_bytes"]) == (None, 150 * 1024 * 1024)


@pytest.mark.parametrize("content", [b"", b"number,day\n", b"\xff\xfe\x00\xd8", b"date,traffic\n2026-01-01,5"])
async def test_a_file_of_another_kind_is_refused_whole(worker: Portal, content: bytes) -> None:
    with pytest.raises(BadUsageFile):
        await worker.sim.usage_imports.run(content)
