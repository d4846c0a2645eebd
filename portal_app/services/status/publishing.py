"""What operators announce, change and end, and the one mail to each customer who wanted to hear of the end."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.status.announcement import SHOWN_FOR, Announcement, NewAnnouncement
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.live import EVERYBODY, INCIDENTS, Change, LiveUpdates
from portal_app.language import DEFAULT, parse_language
from portal_app.models.announcement import AnnouncementRow, IncidentFollower
from portal_app.models.user import User
from portal_app.services.notifications.email_outbox import EmailOutbox

_AT_ONCE = 100
_MOST = 200


class Publishing:
    """Write announcements, under the role of the worker, and tell open pages of them."""

    def __init__(
        self,
        database: Database,
        queue: DurableQueue,
        email_outbox: EmailOutbox,
        *,
        live: LiveUpdates,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._database = database
        self._queue = queue
        self._email_outbox = email_outbox
        self._live = live
        self._clock = clock

    async def publish(self, new: NewAnnouncement) -> UUID:
        """Announce something and return its id."""
        row = AnnouncementRow(
            kind=new.kind,
            words={language: {"title": each.title, "text": each.text} for language, each in new.words.items()},
            services=list(new.services),
            areas=list(new.areas),
            begins_at=new.begins_at,
            until=new.until,
        )
        async with self._database.unit_of_work() as session:
            session.add(row)
            await session.flush()
            announcement_id = row.id
        await self._publish()
        return announcement_id

    async def update(self, announcement_id: UUID, text: dict[str, str], *, until: datetime | None = None) -> None:
        """Add words in every language, and change the expected end where one is given. Raises NotFound, Conflict."""
        async with self._database.unit_of_work() as session:
            row = await _open(session, announcement_id)
            row.updates = [*row.updates, {"at": self._clock().isoformat(), "text": text}]
            row.until = until or row.until
        await self._publish()

    async def end(self, announcement_id: UUID, text: dict[str, str] | None = None) -> int:
        """End an announcement; return how many customers are told by mail. Raises NotFound, Conflict."""
        async with self._database.unit_of_work() as session:
            row = await _open(session, announcement_id)
            if text:
                row.updates = [*row.updates, {"at": self._clock().isoformat(), "text": text}]
            row.ended_at = self._clock()
            await self._queue.enqueue(session, "tell_incident_over", f"incident-over-{row.id}", str(row.id))
            query = select(sa.func.count()).where(IncidentFollower.announcement_id == announcement_id)
            count = int((await session.exec(query)).one())
        await self._publish()
        return count

    async def listed(self) -> list[Announcement]:
        """Return what pages show."""
        async with self._database.unit_of_work() as session:
            rows = await AnnouncementRow.not_over_before(session, self._clock() - SHOWN_FOR, most=_MOST)
            return [row.to_domain() for row in rows]

    async def tell_some(self, announcement_id: UUID) -> int:
        """Store the mails of some followers who were not told yet, and return of how many. Safe to repeat."""
        query = (
            select(IncidentFollower)
            .where(IncidentFollower.announcement_id == announcement_id, col(IncidentFollower.told_at).is_(None))
            .order_by(col(IncidentFollower.user_id))
            .limit(_AT_ONCE)
            .with_for_update()
        )
        async with self._database.unit_of_work() as session:
            row = await session.get(AnnouncementRow, announcement_id)
            followers = (await session.exec(query)).all()
            for follower in followers:
                user = await User.required(session, follower.user_id)
                await self._tell(session, user, row)
                follower.told_at = self._clock()
        return len(followers)

    async def _publish(self) -> None:
        await self._live.publish(Change(EVERYBODY, INCIDENTS))

    async def _tell(self, session: AsyncSession, user: User, row: AnnouncementRow | None) -> None:
        if row is None:
            return
        language = parse_language(user.language)
        words = row.words.get(language) or row.words[DEFAULT]
        last = row.updates[-1]["text"].get(language, "") if row.updates else ""
        await self._email_outbox.enqueue(
            session,
            "incident_over",
            recipient=user.email,
            user_id=user.id,
            language=language,
            title=words["title"],
            answer=last,
        )


async def _open(session: AsyncSession, announcement_id: UUID) -> AnnouncementRow:
    row = await AnnouncementRow.locked(session, announcement_id)
    if row is None:
        raise NotFound("no such announcement")
    if row.ended_at is not None:
        raise Conflict("it is over already")
    return row
