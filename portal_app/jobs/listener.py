"""The listener: Salesforce's event streams into the inbox, position and work in one transaction."""

import asyncio
import contextlib
import random
import signal
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from asgi_correlation_id import correlation_id
from redis.exceptions import RedisError

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable
from portal_app.domain.inbound_event import InboundEvent, ReplayPosition
from portal_app.domain.ports.event_stream import PositionLost, StreamBatch, StreamEvent
from portal_app.infra.clock import timestamp
from portal_app.infra.database.clock_sync import sync_clock
from portal_app.infra.interpreter import report_flaws
from portal_app.infra.metrics import record_batch, set_listener
from portal_app.infra.metrics_server import Metrics
from portal_app.infra.redis.client import LISTENER_STATUS_KEY
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings
from portal_app.infra.tasks.cancellation import raise_if_cancelled
from portal_app.jobs.leader import lead, until_stopped
from portal_app.jobs.preflight import refuse_if_useless, start_checks
from portal_app.services.inbound.inbox import ALL_CHANGES, topic_kind
from portal_app.services.inbound.own_changes import is_own_change
from portal_app.wiring.portal import Portal, build, set_portal

# Longer than the bus is silent between two keepalives.
_STATUS_SECONDS = 330
_LONGEST_PAUSE, _REFUSED_SECONDS = 60.0, 30.0
# The stream goes on after this, whatever became of the approvals: their work is written down.
_HURRY_SECONDS = 1.0
_MOST_NAMED = 20
_MARGIN = timedelta(minutes=10)
_log = structlog.get_logger(__name__)


async def listen(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; one leader follows the streams, others stand by."""
    portal = set_portal(build(settings, role="worker"))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = Metrics(settings, "listener").start()
    clock = asyncio.create_task(sync_clock(portal.database))
    leading = asyncio.create_task(lead(settings, "listener", lambda: _follow_all(portal)))
    _log.info("listener.ready")
    await until_stopped(stop, leading)
    leading.cancel()
    clock.cancel()
    await asyncio.gather(leading, clock, return_exceptions=True)
    await portal.close()
    metrics.stop()


async def _follow_all(portal: Portal) -> None:
    settings = portal.settings
    topics = [settings.sf_provision_event_channel, *settings.sf_change_channels.split(",")]
    async with asyncio.TaskGroup() as group:
        for topic in filter(None, (topic.strip() for topic in topics)):
            group.create_task(follow(portal, topic))


async def say_status(portal: Portal, status: str) -> None:
    """Tell the health page how the main topic stands; the word runs out by itself if we die."""
    try:
        await portal.redis.set(LISTENER_STATUS_KEY, status, ex=_STATUS_SECONDS)
    except RedisError as error:
        _log.debug("listener.status_not_stored", error=type(error).__name__)


async def follow(portal: Portal, topic: str) -> None:
    """Follow one topic for ever: from the stored position, with backoff where the stream breaks."""
    failures, is_away = 0, False
    is_main = topic == portal.settings.sf_provision_event_channel
    while True:
        raise_if_cancelled()
        if is_main:
            await say_status(portal, "connecting")
        asked = 0
        try:
            position = await portal.inbound.inbox.position(topic)
            async with aclosing(portal.vendors.stream.batches(topic, after=position)) as batches:
                async for batch in batches:
                    if is_away:
                        _log.info("listener.back", topic=topic)
                    failures, is_away = 0, False
                    if is_main:
                        await say_status(portal, "connected")
                    record_batch(topic, lag_seconds=_lag(batch))
                    await _keep(portal, batch)
        except PositionLost:
            _log.error("listener.position_lost", topic=topic)
            await portal.inbound.inbox.forget_position(topic)
        except ExternalUnavailable as error:
            if not is_away:
                _log.warning("listener.away", topic=topic, error=str(error)[:200])
            is_away, asked = True, vars(error).get("retry_after", 0)
        except ExternalRejected as error:
            # No reconnect fixes this (unknown topic, missing permission): log an error and try again now and then.
            _log.error("listener.refused", topic=topic, error=str(error)[:200])
            is_away, asked = True, _REFUSED_SECONDS
        set_listener(topic, is_connected=False)
        failures += 1
        await asyncio.sleep(_pause(failures, asked))


def _pause(failures: int, asked: float) -> float:
    """Return seconds until the next connection: growing, at most a minute unless more was asked for, spread out."""
    grown = min(_LONGEST_PAUSE, 0.5 * 2 ** min(failures, 10))
    return random.uniform(0.5, 1.0) * grown if asked <= grown else asked * random.uniform(1.0, 1.1)  # noqa: S311


async def _keep(portal: Portal, batch: StreamBatch) -> None:
    missed_since = ""
    if any(event.undecodable for event in batch.events):
        missed_since = (await portal.inbound.inbox.heard_at(batch.topic)).isoformat()
    for event in batch.events:
        if event.undecodable:
            _log.error("listener.undecodable", topic=batch.topic, event_id=event.id, **_where(event))
    events = [to_inbound(event, missed_since) for event in batch.events if not is_own_change(event)]
    fresh = await portal.inbound.inbox.accept_batch(events, ReplayPosition(batch.topic, batch.replay_id))
    if batch.events:
        own = len(batch.events) - len(events)
        named = [sf_order_id for event in events for sf_order_id in event.data.get("order_ids", [])][:_MOST_NAMED]
        counts = {"events": len(batch.events), "fresh": fresh, "own": own}
        _log.info("listener.received", topic=batch.topic, **counts, sf_orders=named)
    if fresh and batch.topic == portal.settings.sf_provision_event_channel:
        await _show_approvals(portal, events)


async def _show_approvals(portal: Portal, events: list[InboundEvent]) -> None:
    """Let open pages say "approved" before a worker finds the work; what fails here is done there all the same."""
    approved = [(event, sf_order_id) for event in events for sf_order_id in event.data.get("order_ids", [])]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_HURRY_SECONDS):
            calls = (_show_approval(portal, event, sf_order_id) for event, sf_order_id in approved)
            for outcome in await asyncio.gather(*calls, return_exceptions=True):
                if isinstance(outcome, Exception):
                    _log.info("listener.not_shown", error=type(outcome).__name__)


async def _show_approval(portal: Portal, event: InboundEvent, sf_order_id: str) -> None:
    # The id that the worker's lines about this event have too. A task of its own: the next event has another.
    correlation_id.set(event.workflow_id)
    await portal.provisioning.review.show_approval(sf_order_id)


def to_inbound(event: StreamEvent, missed_since: str = "") -> InboundEvent:
    """Return what the inbox keeps of a stream's event: its kind and the ids it names, nothing else.

    An event that names no records (undecodable, overflow, a wildcard) says instead since when to reconcile.
    """
    header: dict[str, Any] = dict(event.payload.get("ChangeEventHeader") or {})
    kind = topic_kind(event.topic)
    if kind == ALL_CHANGES and header:
        kind = f"{str(header.get('entityName')).removesuffix('__c')}ChangeEvent"
    ids = [str(each) for each in header.get("recordIds") or []]
    order_id = event.payload.get("OrderId__c")
    if order_id:
        ids = [str(order_id)]
    if event.undecodable or not all(map(_names_a_record, ids)):
        data: dict[str, Any] = {"since": _committed_at(header) or missed_since}
        if event.undecodable:
            data |= {"topic": event.topic, **_where(event)}
    else:
        data = {"order_ids" if order_id or kind == "OrderChangeEvent" else "record_ids": ids}
    return InboundEvent(source="salesforce", id=event.id, kind=kind, data=data)


def _lag(batch: StreamBatch) -> float | None:
    """Return how old the last event of a batch is, in seconds; None where it does not say when it was made."""
    payload = batch.events[-1].payload if batch.events else {}
    made = (payload.get("ChangeEventHeader") or {}).get("commitTimestamp") or payload.get("CreatedDate")
    return max(0.0, timestamp() - made / 1000) if isinstance(made, int) else None


def _where(event: StreamEvent) -> dict[str, str]:
    return {"replay_id": event.replay_id.hex(), "schema_id": event.schema_id}


def _names_a_record(record_id: str) -> bool:
    """Say whether this is a record's id: a wildcard has a star, an overflow only zeros."""
    return record_id.isalnum() and bool(record_id[:15].strip("0"))


def _committed_at(header: dict[str, Any]) -> str:
    committed = header.get("commitTimestamp")
    return (datetime.fromtimestamp(committed / 1000, UTC) - _MARGIN).isoformat() if isinstance(committed, int) else ""


if __name__ == "__main__":
    settings = read_settings("listener")
    report_flaws()
    refuse_if_useless(start_checks(settings, "listener"))
    asyncio.run(listen(settings))
