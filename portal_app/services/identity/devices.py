"""The device list and the security history of an account."""

from uuid import UUID

from sqlmodel import col, select

from portal_app.domain.errors import NotFound
from portal_app.domain.identity.mfa import Device, HistoryEntry
from portal_app.infra.database.database import Database
from portal_app.models.audit import AuditEntry
from portal_app.models.session import Session
from portal_app.services.identity.sessions import Sessions

PAGE = 50


class Devices:
    """Lists and ends the sessions of an account, and reads its security history."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    async def devices_of(self, user_id: UUID, current: UUID) -> list[Device]:
        """Return the open sessions of a user: the current one first, then by last use."""
        async with self._database.identity() as session:
            rows = await Session.alive_of(session, user_id)
        alive = [row for row in rows if self._sessions.is_alive(row)]
        alive.sort(key=lambda row: (row.id == current, row.used_at), reverse=True)
        return [
            Device(row.id, row.browser, row.address, row.created_at, row.used_at, row.id == current) for row in alive
        ]

    async def sign_out(self, user_id: UUID, session_id: UUID) -> None:
        """End one session of a user. Raises NotFound, also for a session of another user."""
        async with self._database.identity() as session:
            row = await session.get(Session, session_id)
        if row is None or row.user_id != user_id or row.ended_at is not None:
            raise NotFound("no such session of this user")
        await self._sessions.end(session_id)

    async def sign_out_others(self, user_id: UUID, current: UUID) -> None:
        """End every session of a user except the current one."""
        await self._sessions.end_all(user_id, because="signed out everywhere else", but=current)

    async def history_of(self, user_id: UUID, *, before: int | None = None) -> tuple[list[HistoryEntry], int | None]:
        """Return a page of the history, newest first, and the `before` of the next page (None: last page)."""
        query = select(AuditEntry).where(AuditEntry.user_id == user_id).order_by(col(AuditEntry.id).desc())
        if before is not None:
            query = query.where(col(AuditEntry.id) < before)
        async with self._database.unit_of_work(customer=user_id) as session:
            rows = list((await session.exec(query.limit(PAGE + 1))).all())
        entries = [HistoryEntry(row.at, row.actor, row.tag, row.detail) for row in rows[:PAGE]]
        return entries, rows[PAGE - 1].id if len(rows) > PAGE else None
