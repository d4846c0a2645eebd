"""The listener: Salesforce's event streams into the inbox, position and work in one transaction."""

import asyncio
import random
import signal
from typing import Any

import structlog
from redis.exceptions import RedisError

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable
from portal_app.domain.events import InboundEvent, ReplayPosition
from portal_app.domain.ports import PositionLost, StreamBatch, StreamEvent
from portal_app.infra.logs import set_up_logs
from portal_app.infra.settings import Settings
from portal_app.jobs.leader import lead, until_stopped
from portal_app.wiring import Portal, build, use

STATUS_KEY = "listener:status"
# Longer than the bus is silent between two keepalives.
_STATUS_SECONDS = 330
_log = structlog.get_logger(__name__)


async def listen(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; one leader follows the streams, others stand by."""
    portal = use(build(settings, role="worker"))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    leading = asyncio.create_task(lead(settings, "listener", lambda: _follow_all(portal)))
    _log.info("listener.ready")
    await until_stopped(stop, leading)
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
    await portal.close()


async def _follow_all(portal: Portal) -> None:
    settings = portal.settings
    topics = [settings.sf_provision_event_channel, *settings.sf_change_channels.split(",")]
    async with asyncio.TaskGroup() as group:
        for topic in filter(None, (topic.strip() for topic in topics)):
            group.create_task(follow(portal, topic))


async def say_status(portal: Portal, status: str) -> None:
    """Tell the health page how the main topic stands; the word runs out by itself if we die."""
    try:
        await portal.redis.set(STATUS_KEY, status, ex=_STATUS_SECONDS)
    except RedisError as error:
        _log.debug("listener.status_not_told", error=type(error).__name__)


async def follow(portal: Portal, topic: str) -> None:
    """Follow one topic for ever: from the stored position, with backoff where the stream breaks."""
    failures = 0
    is_main = topic == portal.settings.sf_provision_event_channel
    while True:
        if is_main:
            await say_status(portal, "connecting")
        try:
            position = await portal.inbound.position(topic)
            async for batch in portal.stream.batches(topic, after=position):
                if failures:
                    _log.info("listener.back", topic=topic)
                failures = 0
                if is_main:
                    await say_status(portal, "connected")
                await _keep(portal, batch)
        except PositionLost:
            _log.error("listener.position_lost", topic=topic)
            await portal.inbound.forget_position(topic)
            continue
        except ExternalUnavailable as error:
            if not failures:
                _log.warning("listener.away", topic=topic, error=str(error)[:200])
        except ExternalRejected as error:
            # No reconnect mends this (unknown topic, missing permission): say it loudly, look again now and then.
            _log.error("listener.refused", topic=topic, error=str(error)[:200])
            failures = max(failures, 6)
        failures += 1
        await asyncio.sleep(random.uniform(0.5, 1.0) * min(30.0, 0.5 * 2 ** min(failures, 6)))  # noqa: S311


async def _keep(portal: Portal, batch: StreamBatch) -> None:
    for event in batch.events:
        if event.undecodable:
            _log.error("listener.undecodable", topic=batch.topic, event=event.id)
    events = [to_inbound(event) for event in batch.events if not event.undecodable]
    fresh = await portal.inbound.accept_batch(events, ReplayPosition(batch.topic, batch.replay_id))
    if events:
        _log.info("listener.received", topic=batch.topic, events=len(events), fresh=fresh)


def to_inbound(event: StreamEvent) -> InboundEvent:
    """Return what the inbox keeps of a stream's event: its kind and the ids it names, nothing else."""
    kind = event.topic.rpartition("/")[2]
    header: dict[str, Any] = dict(event.payload.get("ChangeEventHeader") or {})
    ids = list(header.get("recordIds") or [])
    if order_id := event.payload.get("OrderId__c"):
        ids = [order_id]
    is_order = kind.startswith("Order")
    return InboundEvent(
        source="salesforce", id=event.id, kind=kind, data={"order_ids" if is_order else "record_ids": ids}
    )


if __name__ == "__main__":
    settings = Settings()
    set_up_logs(process="listener", log_format=settings.portal_log_format, level=settings.portal_log_level)
    asyncio.run(listen(settings))
