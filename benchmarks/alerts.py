"""Alerts over the lines of one file: how long it takes from the file to what fired, and what the carrier is asked."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import sqlalchemy as sa

from benchmarks.stage import Stage
from benchmarks.table import Row, within
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.infra.clock import today
from portal_app.models.line_change import LINE_PLACE
from portal_app.models.sim_line import SimLineRow
from portal_app.wiring.portal import Portal, build
from tests.support.running.world import world

LINES, FIRING, FORECASTS = 10_000, 1_000, 2_500
LONGEST_SECONDS = 10
_FIRST, _HISTORY, _BATCH = 8_000_001, 62, 500
# What is always less than is left of a plan of 5 GB, and what never is on one small day.
_ALWAYS, _NEVER = 51_200, 100
_SET_UP = (
    "INSERT INTO subscriptions_mirror (user_id, service_id, body, read_at)"
    " SELECT %(user)s, s, jsonb_build_object('product_id', %(product)s::int), now()"
    " FROM generate_series(%(first)s, %(last)s) s",
    "INSERT INTO sim_readings (service_id, day, user_id, used_bytes, source, is_set_aside, read_at)"
    " SELECT s, %(day)s::date - d, %(user)s, (d %% 7) * 1048576, 'file', false, now()"
    " FROM generate_series(%(first)s, %(last)s) s, generate_series(2, %(days)s) d"
    " WHERE s < %(forecasts)s OR d <= 31",
    "INSERT INTO line_alerts (service_id, kind, user_id, amount, unit, set_at, value, is_due)"
    " SELECT s, 'left', %(user)s, CASE WHEN s < %(firing)s THEN %(always)s ELSE %(never)s END, 'mb', now(), 0, false"
    " FROM generate_series(%(first)s, %(last)s) s",
    "INSERT INTO line_alerts (service_id, kind, user_id, amount, unit, set_at, value, is_due)"
    " SELECT s, 'forecast', %(user)s, 0, 'none', now(), 0, false FROM generate_series(%(first)s, %(forecasts)s - 1) s",
)


def measure(stage: Stage) -> list[Row]:
    """Import one day of every line, judge all, tell a tenth; then do it again."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    worker = build(world().settings_with(portal_log_level="WARNING"), role="worker")
    try:
        numbers = await _set_up(worker)
        before, content = await _calls(), _file(numbers)
        began = time.perf_counter()
        fired = await _run(worker, content)
        took = time.perf_counter() - began
        told = await _tell(worker)
        again = await _run(worker, content)
        name = f"alerts: a file of {LINES:,} lines"
        return [
            within(f"{name}, {fired:,} fire (told in {told:.1f} s more)", took, "s", limit=LONGEST_SECONDS),
            within(f"{name}: calls of the carrier", await _calls() - before, "", limit=0),
            within(f"{name}: fire other than they should", abs(fired - FIRING), "", limit=0),
            within(f"{name}: fire again with the same file", again, "", limit=0),
        ]
    finally:
        await worker.close()


async def _run(worker: Portal, content: bytes) -> int:
    """Import as `portal usage import` does, and judge as the worker's workflow does; return how many fired."""
    await worker.sim.usage_imports.run(content)
    return sum([await worker.sim.alerts.judge(ids) for ids in _batches()])


async def _tell(worker: Portal) -> float:
    began = time.perf_counter()
    for ids in _batches():
        while await worker.sim.alerts.tell(ids):
            pass
    return time.perf_counter() - began


async def _set_up(worker: Portal) -> list[str]:
    numbers = [f"0703{place:07d}" for place in range(LINES)]
    products = {product: plan.data_mb for product, plan in (await worker.catalog.sim_plans()).items()}
    product = next(each for each, megabytes in products.items() if megabytes == 5 * 1024)
    body, ring = LineSnapshot(state="active").to_json(), worker.identity.secrets.ring
    async with worker.database.unit_of_work() as session:
        user = await _somebody(worker)
        for place, number in enumerate(numbers):
            index = ring.index(number, LINE_PLACE)
            session.add(
                SimLineRow(
                    service_id=_FIRST + place, user_id=user, number=number, number_index=index, iccid="", eid="",
                    body=body,
                )
            )  # fmt: skip
        await session.flush()
        values: dict[str, Any] = {
            "user": user, "product": product, "first": _FIRST, "last": _FIRST + LINES - 1, "day": today(),
            "days": _HISTORY, "firing": _FIRST + FIRING, "always": _ALWAYS, "never": _NEVER,
            "forecasts": _FIRST + FORECASTS,
        }  # fmt: skip
    with psycopg.connect(world().postgres.url()) as owner:
        # Hundreds of thousands of readings: without looking their customer up one by one.
        owner.execute("SET LOCAL session_replication_role = replica")
        for statement in _SET_UP:
            owner.execute(statement, values)
    return numbers


async def _somebody(worker: Portal) -> Any:
    async with worker.database.unit_of_work() as session:
        query = sa.text("SELECT user_id FROM id_mappings ORDER BY customer_number LIMIT 1")
        return await (await session.connection()).scalar(query)


async def _calls() -> int:
    async with httpx.AsyncClient() as office:
        counted = (await office.get(f"{world().office}/api/calls")).json()["freebit"]
    return sum(int(count) for count in counted.values())


def _file(numbers: list[str]) -> bytes:
    day = today() - timedelta(days=1)
    rows = (f"{number},{day:%Y%m%d},1024" for number in numbers)
    return "\n".join(["account,date,traffic", *rows]).encode()


def _batches() -> Iterator[list[int]]:
    for start in range(_FIRST, _FIRST + LINES, _BATCH):
        yield list(range(start, start + _BATCH))
