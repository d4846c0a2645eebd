"""Notification preferences of customers."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.notifications.preference import MANDATORY, TOPICS, Channel, Topic, TopicPreference, topic_of
from portal_app.infra.database.database import Database
from portal_app.models.notification_preference import NotificationPreference
from portal_app.services.audit import Tag, record


async def is_wanted(session: AsyncSession, user_id: UUID | None, kind: str, way: Channel) -> bool:
    """Return whether a customer wants a kind of notice or mail by a channel; read in the caller's transaction."""
    topic = topic_of(kind)
    if topic is None or user_id is None or (topic, way) in MANDATORY:
        return True
    row = await session.get(NotificationPreference, (user_id, topic))
    return row is None or (row.portal if way == "portal" else row.mail)


class NotificationPreferences:
    """Reads and changes a customer's notification preferences."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def choices_for(self, user_id: UUID) -> list[TopicPreference]:
        """Return the preferences for all topics."""
        async with self._database.unit_of_work(customer=user_id) as session:
            return list((await _known(session, user_id)).values())

    async def change(
        self, user_id: UUID, wanted: Sequence[tuple[Topic, bool | None, bool | None]]
    ) -> list[TopicPreference]:
        """Change some topics, each as (topic, portal, mail) with None for unchanged, and return all preferences.

        Raises InvalidInput for a mandatory channel.
        """
        async with self._database.unit_of_work(customer=user_id) as session:
            known = await _known(session, user_id)
            for topic, portal, mail in wanted:
                before = known[topic]
                after = before.changed(portal=portal, mail=mail)
                if after != before:
                    await session.merge(
                        NotificationPreference(user_id=user_id, topic=after.topic, portal=after.portal, mail=after.mail)
                    )
                    detail = {"topic": after.topic, "portal": str(after.portal), "mail": str(after.mail)}
                    record(session, Tag.NOTIFICATIONS_CHANGED, user_id=user_id, actor="you", detail=detail)
                known[topic] = after
        return list(known.values())


async def _known(session: AsyncSession, user_id: UUID) -> dict[Topic, TopicPreference]:
    query = select(NotificationPreference).where(NotificationPreference.user_id == user_id)
    rows = {row.topic: row for row in (await session.exec(query)).all()}
    found: dict[Topic, TopicPreference] = {}
    for topic in TOPICS:
        row = rows.get(topic)
        found[topic] = TopicPreference(topic, portal=row.portal, mail=row.mail) if row else TopicPreference(topic)
    return found
