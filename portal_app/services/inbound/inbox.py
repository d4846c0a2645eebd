"""The inbox: each event of a vendor is stored once with its workflow, which reads the vendor's data again."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.inbound_event import InboundEvent, ReplayPosition
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.models import inbox as tables
from portal_app.services.catalog.catalog import Catalog

ALL_CHANGES = "ChangeEvents"
# The bus keeps events for three days; a commit may be a little older than its event.
_KEPT, _MARGIN = timedelta(hours=72), timedelta(minutes=10)


def topic_kind(topic: str) -> str:
    """Return the kind of a topic's events: its last part. An org's own channel may carry any change."""
    kind = topic.rpartition("/")[2]
    return ALL_CHANGES if topic.startswith("/data/") and kind.endswith("__chn") else kind


def _missed_since(row: tables.ReplayPosition | None) -> datetime:
    return (row.updated_at if row else now() - _KEPT) - _MARGIN


class Inbound:
    """Store events and apply them."""

    def __init__(self, database: Database, queue: DurableQueue, *, catalog: Catalog) -> None:
        self._database = database
        self._queue = queue
        self._catalog = catalog

    async def accept(self, event: InboundEvent) -> bool:
        """Store an event and enqueue its workflow in one transaction; False when it was delivered before."""
        async with self._database.unit_of_work() as session:
            return await self._store(session, event)

    async def accept_batch(self, events: list[InboundEvent], position: ReplayPosition) -> int:
        """Store a stream's events, their workflows and the position in one transaction; return how many are new.

        A batch without a position leaves the former one: its events would be delivered again, as known ones.
        """
        async with self._database.unit_of_work() as session:
            fresh = [await self._store(session, event) for event in events]
            if position.replay_id:
                before = await session.get(tables.ReplayPosition, position.topic)
                if before is not None and not before.replay_id:
                    # The first batch after a lost position: events published in between were missed.
                    await self._reconcile_missed(session, before, "begun")
                await session.merge(tables.ReplayPosition(topic=position.topic, replay_id=position.replay_id))
        return sum(fresh)

    async def position(self, topic: str) -> bytes | None:
        """Return how far a topic was read, or None for a topic never read."""
        async with self._database.unit_of_work() as session:
            row = await session.get(tables.ReplayPosition, topic)
        return row.replay_id or None if row else None

    async def heard_at(self, topic: str) -> datetime:
        """Return the moment after which an event of a topic may have been missed."""
        async with self._database.unit_of_work() as session:
            row = await session.get(tables.ReplayPosition, topic)
        return _missed_since(row)

    async def forget_position(self, topic: str) -> None:
        """Restart a topic whose position was refused, and enqueue a reconcile of what was missed."""
        async with self._database.unit_of_work() as session:
            row = await session.get(tables.ReplayPosition, topic)
            if row is None or not row.replay_id:
                return
            # Emptied, not deleted: no role may delete positions.
            row.replay_id = b""
            await self._reconcile_missed(session, row, "lost")

    async def event(self, source: str, event_id: str) -> InboundEvent:
        """Return a stored event. Raises NotFound."""
        async with self._database.unit_of_work() as session:
            row = await session.get(tables.Inbox, (source, event_id))
        if row is None:
            raise NotFound("no such event")
        return InboundEvent("whmcs" if row.source == "whmcs" else "salesforce", row.id, row.kind, row.data)

    async def finish(self, event: InboundEvent) -> None:
        """Record that an event was applied."""
        async with self._database.unit_of_work() as session:
            if row := await session.get(tables.Inbox, (event.source, event.id)):
                row.handled_at = now()

    async def apply_catalog_change(self) -> None:
        """Invalidate the catalogue: products or prices changed at Salesforce."""
        await self._catalog.invalidate()

    async def _reconcile_missed(self, session: AsyncSession, row: tables.ReplayPosition, occasion: str) -> None:
        since = _missed_since(row).isoformat()
        name = f"reconcile-{row.topic}-{since}-{occasion}"
        await self._queue.enqueue(session, "reconcile", name, topic_kind(row.topic), since)

    async def _store(self, session: AsyncSession, event: InboundEvent) -> bool:
        if not await tables.Inbox.insert_new(session, event):
            return False
        await self._queue.enqueue(session, "apply_event", event.workflow_id, event.source, event.id)
        return True
