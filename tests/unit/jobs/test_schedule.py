"""The schedule: by the portal's clock and Japan's day, each time once, and caught up after a jump."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.metrics import _backlog, _breaker, forget_backlog
from portal_app.infra.settings import Settings
from portal_app.jobs.backlog import measure_backlog
from portal_app.jobs.schedule import SCHEDULE, enqueue_due, first_due
from portal_app.workflows import cancellations, scheduled, sim_lines, support

MIDNIGHT = datetime(2031, 3, 31, 15, tzinfo=UTC)


def portal_of(worker: Database, queue: DurableQueue, settings: Settings | None = None) -> Any:
    async def limiter_states() -> dict[str, dict[str, Any]]:
        return {"whmcs": {"breaker": "open"}, "salesforce": {"breaker": "closed"}}

    return SimpleNamespace(
        database=worker, queue=queue, settings=settings, vendors=SimpleNamespace(limiter_states=limiter_states)
    )


@pytest.mark.parametrize(
    ("crontab", "span", "due"),
    [
        ("40 3 * * *", timedelta(hours=3, minutes=40), timedelta(hours=3, minutes=40)),
        ("40 3 * * *", timedelta(hours=3, minutes=39, seconds=59), None),
        ("*/5 * * * *", timedelta(seconds=1), None),
        ("*/5 * * * *", timedelta(days=30), timedelta(minutes=5)),
        ("0 0 * * *", timedelta(hours=23), None),
        ("* * * * * */30", timedelta(seconds=29), None),
        ("* * * * * */30", timedelta(hours=1), timedelta(seconds=30)),
    ],
)
def test_what_is_due_in_a_span_of_time(crontab: str, span: timedelta, due: timedelta | None) -> None:
    assert first_due(crontab, MIDNIGHT, MIDNIGHT + span) == (due and MIDNIGHT + due)


async def workflows(worker: Database, like: str) -> list[str]:
    query = sa.text("SELECT workflow_uuid FROM dbos.workflow_status WHERE workflow_uuid LIKE :like ORDER BY 1")
    async with worker.unit_of_work() as session:
        return [row[0] for row in await (await session.connection()).execute(query, {"like": like})]


async def test_consecutive_leaders_enqueue_a_due_time_once(worker: Database, queue: DurableQueue) -> None:
    portal = portal_of(worker, queue)
    first = await enqueue_due(portal, after=MIDNIGHT, until=MIDNIGHT + timedelta(minutes=5))
    again = await enqueue_due(portal, after=MIDNIGHT + timedelta(minutes=1), until=MIDNIGHT + timedelta(minutes=6))
    assert "catch_up_orders" in first and "catch_up_orders" in again
    assert await workflows(worker, "catch_up_orders-2031-03-31%") == ["catch_up_orders-2031-03-31T15:05"]


async def test_after_a_jump_each_job_runs_once_and_what_waits_looks_at_the_clock(
    worker: Database, queue: DurableQueue
) -> None:
    begin = MIDNIGHT + timedelta(days=1)
    done = await enqueue_due(portal_of(worker, queue), after=begin, until=begin + timedelta(days=25))
    assert sorted(done) == sorted([*(entry.workflow for entry in SCHEDULE), "clock_moved"])
    assert len(await workflows(worker, "clock_moved-2031-%")) == 1


async def test_minutes_that_come_again_after_the_clock_was_set_back_are_due_again_and_once(
    worker: Database, queue: DurableQueue
) -> None:
    portal, at = portal_of(worker, queue), now().replace(minute=4, second=0) + timedelta(days=2, hours=5)
    tick, back = timedelta(minutes=2), timedelta(hours=2)
    created = sa.text(
        "UPDATE dbos.workflow_status SET created_at = :ms WHERE name = 'catch_up_orders' AND workflow_uuid LIKE :like"
    )
    for begin in (at - back, at):
        assert "catch_up_orders" in await enqueue_due(portal, after=begin, until=begin + tick)
        async with worker.unit_of_work() as session:
            values = {"ms": int((begin + tick).timestamp() * 1000), "like": f"%{begin:%Y-%m-%dT%H}:05"}
            await (await session.connection()).execute(created, values)
    assert await enqueue_due(portal, after=at + tick, until=at - back) == ["clock_moved"]
    # Two leaders in a row.
    for _ in range(2):
        assert "catch_up_orders" in await enqueue_due(portal, after=at - back, until=at - back + tick)
    first = f"catch_up_orders-{at - back:%Y-%m-%dT%H}:05"
    assert await workflows(worker, f"{first}%") == [first, f"{first}~catch_up_orders-{at:%Y-%m-%dT%H}:05"]


def test_every_scheduled_job_is_a_workflow_that_records_its_success() -> None:
    for entry in SCHEDULE:
        places = (scheduled, cancellations, sim_lines, support)
        (work,) = [found for place in places if (found := getattr(place, entry.workflow, None))]
        assert work.__wrapped__.__qualname__, entry.workflow


async def test_the_backlog_is_measured_by_the_leader_only(
    worker: Database, queue: DurableQueue, settings: Settings
) -> None:
    received = now() - timedelta(hours=2)
    event = "INSERT INTO inbox (source, id, kind, data, received_at) VALUES ('whmcs', :id, 'x', '{}', :at)"
    async with worker.unit_of_work() as session:
        await (await session.connection()).execute(sa.text(event), {"id": f"b{received}", "at": received})
    await measure_backlog(portal_of(worker, queue, settings))
    figures = {
        (sample.name, *sample.labels.values()): sample.value
        for figure in (_backlog, _breaker)
        for metric in figure.collect()
        for sample in metric.samples
    }
    assert figures["portal_backlog_items", "inbox"] >= 1
    assert {name[1] for name in figures} >= {"durable_work", "inbox", "mails", "mirrors"}
    assert (figures["portal_breaker_state", "whmcs"], figures["portal_breaker_state", "salesforce"]) == (2, 0)
    forget_backlog()
    assert not any(metric.samples for metric in _backlog.collect())
