"""Calls and SMS of a line: imported once, sealed, shown to their owner after a proof and to nobody else."""

import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, time, timedelta

import psycopg
import pytest
import pytest_asyncio
import sqlalchemy as sa

from portal_app.infra.clock import now, today
from portal_app.jobs.admin.calls_import import report_of
from portal_app.language.format import JAPAN
from portal_app.models.sim_call import SimCall
from portal_app.models.sim_line import SimLineRow
from portal_app.services.calls.call_import import CallImport
from portal_app.services.operations.cleanup import Cleanup
from portal_app.wiring.portal import Portal
from tests.contract.api.sim.conftest import DATA, VOICE
from tests.support.clients.visitor import Visitor
from tests.support.running.world import world

OTHER, HEAD = "09000001234", "account,datetime,type,number,seconds,charge"


def yesterday_noon() -> datetime:
    return datetime.combine(today() - timedelta(days=1), time(12), JAPAN)


def written(at: datetime, other: str = OTHER, *, kind: str = "voice", seconds: int = 61, line: str = VOICE) -> str:
    return f"{line},{at.astimezone(JAPAN):%Y%m%d%H%M%S},{kind},{other},{seconds},{33 if kind == 'voice' else 3}"


@pytest_asyncio.fixture
async def imported(worker: Portal, services: dict[str, int]) -> AsyncIterator[Callable[..., object]]:
    """Return what imports rows; no record is there before and after."""

    async def forget() -> None:
        async with worker.database.unit_of_work() as session:
            await (await session.connection()).execute(sa.delete(SimCall))

    async def run(*rows: str, encoding: str = "utf-8-sig") -> CallImport:
        return await worker.calls.imports.run(io.BytesIO("\r\n".join([HEAD, *rows]).encode(encoding)))

    await forget()
    yield run
    await forget()


async def test_a_file_is_imported_once_and_what_is_wrong_is_counted(
    worker: Portal, services: dict[str, int], imported: Callable[..., object]
) -> None:
    at = yesterday_noon()
    async with worker.database.unit_of_work() as session:
        row = await session.get(SimLineRow, services[VOICE])
        assert row is not None
        started = row.to_snapshot().started_on
    assert started is not None
    before = datetime.combine(started - timedelta(days=1), time(), JAPAN)
    rows = [
        written(at), written(at, kind="sms"), written(at), written(at, seconds=-1),
        written(at, line="07000000000"), written(before), written(at - timedelta(days=300)),
    ]  # fmt: skip
    done = await imported(*rows, encoding="cp932")
    assert (done.rows, done.added, done.changed, done.unknown, done.not_theirs + done.old) == (7, 2, 0, 1, 2)
    assert dict(done.problems) == {"seconds": 1} and [row.place for row in done.bad] == [5]
    again = await imported(*rows)
    assert (again.added, again.changed) == (0, 0)
    corrected = await imported(written(at, seconds=120))
    assert (corrected.added, corrected.changed) == (0, 1)
    told = "\n".join(report_of(done))
    assert "line 5: seconds" in told and OTHER not in told and VOICE not in told


async def test_records_from_before_the_line_was_its_customers_are_never_theirs(
    worker: Portal, services: dict[str, int], imported: Callable[..., object]
) -> None:
    """A number comes back from another customer, and records come weeks late."""
    async with worker.database.unit_of_work() as session:
        row = await session.get(SimLineRow, services[DATA])
        assert row is not None
        body = row.body
        row.body = body | {"started_on": str(today())}
    late, own = written(now() - timedelta(days=2), line=DATA), written(now(), line=DATA)
    done = await imported(late, own)
    assert (done.added, done.not_theirs) == (1, 1)
    async with worker.database.unit_of_work() as session:
        row = await session.get(SimLineRow, services[DATA])
        assert row is not None
        row.body = body | {"started_on": None}
    assert (await imported(own)).not_theirs == 1, "a line whose begin nobody knows has no records"
    async with worker.database.unit_of_work() as session:
        row = await session.get(SimLineRow, services[DATA])
        assert row is not None
        row.body = body


async def test_a_month_is_shown_masked_after_a_proof_and_whole_only_on_wish(
    sato: Visitor, worker: Portal, services: dict[str, int], imported: Callable[..., object]
) -> None:
    path, at = f"/api/subscriptions/{services[VOICE]}/sim/calls", yesterday_noon()
    await imported(written(at), written(at - timedelta(minutes=1), "110", kind="sms"))
    shown = (await sato.get(path)).json()
    assert [row["number"] for row in shown["items"]] == ["0900000****", "***"]
    assert (shown["calls"], shown["sms"], shown["seconds"], shown["charge_yen"]) == (1, 1, 61, 36)
    assert shown["months"] == [shown["month"]] == [f"{at.astimezone(JAPAN):%Y-%m}"]
    whole = (await sato.get(f"{path}?month={shown['month']}&numbers=whole")).json()
    assert [row["number"] for row in whole["items"]] == [OTHER, "110"]
    empty = (await sato.get(f"{path}?month=2020-01")).json()
    assert (empty["items"], empty["charge_yen"], empty["months"]) == ([], None, shown["months"])
    file = await sato.get(f"{path}.csv?month={shown['month']}")
    assert file.headers["cache-control"] == "no-store" and file.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert [row[2] for row in rows] == ["Number", "0900000****", "***"]
    history = (await sato.get("/api/me/history")).json()["items"]
    assert [row["event"] for row in history[:2]] == ["sim:calls:taken"] * 2
    for wrong in ("?month=2026-13", "?month=x", "?numbers=all"):
        assert (await sato.get(path + wrong)).status_code == 422


async def test_nobody_else_and_no_old_proof_opens_them(
    sato: Visitor, aiko: Visitor, services: dict[str, int], imported: Callable[..., object]
) -> None:
    await imported(written(yesterday_noon()))
    for path in (f"/api/subscriptions/{services[VOICE]}/sim/calls{end}" for end in ("", ".csv")):
        assert (await aiko.get(path)).status_code == 404
        with psycopg.connect(world().postgres.url(), autocommit=True) as owner:
            owner.execute("UPDATE sessions SET confirmed_at = confirmed_at - interval '1 hour'")
        refused = await sato.get(path)
        with psycopg.connect(world().postgres.url(), autocommit=True) as owner:
            owner.execute("UPDATE sessions SET confirmed_at = confirmed_at + interval '1 hour'")
        assert (refused.status_code, refused.json()["code"]) == (403, "step_up_needed")


async def test_the_table_tells_no_number_and_no_time_and_the_cleanup_deletes_whole_months(
    worker: Portal, services: dict[str, int], imported: Callable[..., object]
) -> None:
    at = yesterday_noon()
    await imported(written(at))
    with psycopg.connect(world().postgres.url(), autocommit=True) as owner:
        (row,) = owner.execute("SELECT sim_calls::text, content FROM sim_calls").fetchall()
        assert not any(
            secret in row[0].encode() + bytes(row[1]) for secret in (OTHER.encode(), VOICE.encode(), b"voice")
        )
        kept = worker.settings.portal_keep_call_days
        months = [(today() - timedelta(days=kept)).replace(day=1), date(2020, 1, 1)]
        for number, month in enumerate(months, 1):
            owner.execute(
                "INSERT INTO sim_calls SELECT gen_random_uuid(), service_id + %s, user_id, %s, content FROM sim_calls"
                " WHERE service_id = %s", (number, month, services[VOICE]),
            )  # fmt: skip
        await Cleanup(worker.settings, worker.database, worker.queue).delete_expired()
        left = owner.execute("SELECT month FROM sim_calls ORDER BY month").fetchall()
    assert left == [(months[0],), (at.astimezone(JAPAN).date().replace(day=1),)]


@pytest.mark.parametrize("role", ["web"])
def test_pages_may_read_records_and_not_write_them(role: str) -> None:
    query = (
        "SELECT privilege_type FROM information_schema.role_table_grants WHERE table_name = 'sim_calls' "
        "AND grantee = %s"
    )
    with psycopg.connect(world().postgres.url()) as owner:
        assert owner.execute(query, (f"portal_{role}",)).fetchall() == [("SELECT",)]
