"""What is announced, for pages: readable while PostgreSQL is away, while Redis is away, and in a new process."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from portal_app.domain.errors import NotFound, PortalError
from portal_app.domain.status.announcement import SHOWN_FOR, Announcement
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.models.announcement import AnnouncementRow, IncidentFollower

# How old what a process shows may be, and how long PostgreSQL may take before the last known is shown.
_KEPT_SECONDS, _DEADLINE_SECONDS = 5.0, 2.0
_MOST = 200
_KEY = "announcements"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Announced:
    """What is announced. `read_at` is None where nothing could be read yet, `is_fresh` False for the last known."""

    items: tuple[Announcement, ...] = ()
    read_at: datetime | None = None
    is_fresh: bool = False


_ANNOUNCED = TypeAdapter(Announced)


class Announcements:
    """Read announcements, and note who wants to be told of their end."""

    def __init__(self, database: Database, redis: Redis, *, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._redis = redis
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known = Announced()
        self._looked_at: float | None = None
        self._changes = 0

    async def announced(self) -> Announced:
        """Return what is announced, planned, or was over within the last 90 days. Never raises."""
        async with self._lock:
            if self._looked_at is None or time.monotonic() - self._looked_at >= _KEPT_SECONDS:
                changes = self._changes
                self._known = await self._read()
                # What was read while something changed may be from before.
                self._looked_at = time.monotonic() if changes == self._changes else None
        return self._known

    def forget(self) -> None:
        """Read again at the next question: something was announced, changed or ended."""
        self._looked_at, self._changes = None, self._changes + 1

    async def current(self) -> list[Announcement]:
        """Return what is under way."""
        at = self._clock()
        return [item for item in (await self.announced()).items if item.stage(at) == "current"]

    async def follow(self, user_id: UUID, announcement_id: UUID) -> None:
        """Note that a customer wants to be told of the end. Raises NotFound, also for what is over already."""
        async with self._database.unit_of_work(customer=user_id) as session:
            row = await session.get(AnnouncementRow, announcement_id)
            if row is None or row.ended_at is not None:
                raise NotFound("no such announcement")
            values = {"announcement_id": announcement_id, "user_id": user_id, "created_at": self._clock()}
            connection = await session.connection()
            await connection.execute(insert(IncidentFollower).values(values).on_conflict_do_nothing())

    async def unfollow(self, user_id: UUID, announcement_id: UUID) -> None:
        """Take that back."""
        gone = sa.delete(IncidentFollower).where(
            col(IncidentFollower.announcement_id) == announcement_id, col(IncidentFollower.user_id) == user_id
        )
        async with self._database.unit_of_work(customer=user_id) as session:
            await (await session.connection()).execute(gone)

    async def followed(self, user_id: UUID) -> set[UUID]:
        """Return the announcements of whose end a customer wants to be told."""
        query = select(IncidentFollower.announcement_id).where(IncidentFollower.user_id == user_id)
        async with self._database.unit_of_work(customer=user_id) as session:
            return set((await session.exec(query)).all())

    async def _read(self) -> Announced:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS), self._database.unit_of_work() as session:
                before = self._clock() - SHOWN_FOR
                rows = await AnnouncementRow.not_over_before(session, before, most=_MOST)
                found = Announced(tuple(row.to_domain() for row in rows), self._clock(), is_fresh=True)
        except (PortalError, TimeoutError) as error:
            _log.warning("announcements.database_away", error=type(error).__name__)
            known = self._known if self._known.read_at is not None else await self._copy()
            return replace(known, is_fresh=False)
        await self._keep_copy(found)
        return found

    async def _keep_copy(self, found: Announced) -> None:
        """Keep a copy for processes that start while PostgreSQL is away."""
        try:
            await self._redis.set(_KEY, _ANNOUNCED.dump_json(found))
        except (RedisError, OSError) as error:
            _log.debug("announcements.redis_away", error=type(error).__name__)

    async def _copy(self) -> Announced:
        try:
            kept = await self._redis.get(_KEY)
            return _ANNOUNCED.validate_json(kept) if kept else Announced()
        except (RedisError, OSError, ValidationError) as error:
            _log.warning("announcements.no_copy", error=type(error).__name__)
            return Announced()
