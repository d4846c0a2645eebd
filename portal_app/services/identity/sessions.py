"""Sessions: access tokens, rotation of refresh tokens, liveness checks and ending sessions in all processes."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotSignedIn, StepUpNeeded
from portal_app.domain.identity.account import Tokens
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.batching import BatchLoader
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.tokens import Access, AccessTokens, RandomTokens
from portal_app.infra.settings import Settings
from portal_app.models.calendar import CalendarLink
from portal_app.models.session import RefreshToken, Session
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.notifications.email_outbox import EmailOutbox

_PURPOSE = "refresh"
# How long a live session is cached in this process and in Redis. An end is pushed to all processes immediately; if
# both the push and Redis missed it, it still takes effect within five seconds.
_MEMORY_SECONDS = 1.5
_ALIVE_SECONDS = 3
_MAX_CACHED = 20_000
_RECORD_USE_EVERY = timedelta(seconds=60)
# The value in Redis of an ended session; for a live session it is the user id.
ENDED = "ended"
_log = structlog.get_logger(__name__)


class Sessions:
    """Opens, checks, rotates and ends sessions."""

    def __init__(
        self, settings: Settings, database: Database, redis: Redis, live: LiveUpdates, email_outbox: EmailOutbox
    ) -> None:
        self._settings = settings
        self._database = database
        self._redis = redis
        self._live = live
        self._email_outbox = email_outbox
        self._access = AccessTokens(settings.jwt_secret.get_secret_value(), lifetime=settings.portal_access_seconds)
        self._random = RandomTokens(settings.jwt_refresh_secret.get_secret_value())
        self._remembered: dict[UUID, tuple[UUID, float]] = {}
        self._forgotten = 0
        self._cached = BatchLoader(self._read_cached)
        self._alive = BatchLoader(self._read_alive)

    async def open(
        self,
        session: AsyncSession,
        user_id: UUID,
        *,
        factors: tuple[str, ...],
        browser: str,
        address: str,
        device_hash: bytes | None = None,
    ) -> Tokens:
        """Open a session in the caller's transaction and return its tokens."""
        row = Session(
            user_id=user_id,
            factors=" ".join(factors),
            browser=browser[:200],
            address=address,
            device_hash=device_hash,
            expires_at=now() + timedelta(seconds=self._settings.portal_session_seconds),
        )
        session.add(row)
        await session.flush()
        return self._issue(session, row, predecessor=None)

    def read_access_token(self, access_token: str) -> Access:
        """Return the content of an access token. Raises NotSignedIn. `require_live` checks the session itself."""
        return self._access.verify(access_token)

    async def require_live(self, session_id: UUID, *, is_use: bool = True) -> UUID:
        """Return the user id of a session. Raises NotSignedIn if it has ended or expired.

        `is_use` extends the idle time; pass False for work that the user did not cause. The answer is cached in this
        process and in Redis, together for less than five seconds.
        """
        user_id, until = self._remembered.get(session_id, (None, 0.0))
        if user_id is not None and time.monotonic() < until:
            return user_id
        forgotten = self._forgotten
        user_id = await self._look_up(session_id, is_use=is_use)
        # Do not cache if a session ended during the read: the value read may be older than the end.
        if forgotten == self._forgotten:
            if len(self._remembered) >= _MAX_CACHED:
                self._remembered.clear()
            self._remembered[session_id] = user_id, time.monotonic() + _MEMORY_SECONDS
        return user_id

    async def require_access(self, access: Access, *, is_use: bool = True) -> None:
        """Raise NotSignedIn unless the session of an access token lives and is its user's."""
        if await self.require_live(access.session_id, is_use=is_use) != access.user_id:
            raise NotSignedIn("the session is another user's")

    @staticmethod
    def redis_key(session_id: UUID) -> str:
        """Return the Redis key of a session; its value is the user id or ENDED."""
        return f"session:{session_id}"

    def forget_session(self, session_id: UUID) -> None:
        """Remove a session from this process's cache, after another process ended it."""
        self._forgotten += 1
        self._remembered.pop(session_id, None)

    async def ended_among(self, session_ids: set[UUID]) -> set[UUID]:
        """Return the ended, expired or unknown ones of some sessions; this does not extend their idle time."""
        idle = timedelta(seconds=self._settings.portal_idle_seconds)
        async with self._database.identity() as session:
            return await Session.dead_among(session, session_ids, idle=idle)

    async def _look_up(self, session_id: UUID, *, is_use: bool) -> UUID:
        cached = await self._cached.load(session_id)
        if cached == ENDED.encode():
            raise NotSignedIn("session ended")
        if cached is not None:
            return UUID(cached.decode())
        user_id = await self._alive.load((session_id, is_use))
        if user_id is None:
            raise NotSignedIn("session ended")
        return user_id

    async def _read_cached(self, session_ids: Sequence[UUID]) -> dict[UUID, bytes | None]:
        try:
            cached = await self._redis.mget([self.redis_key(session_id) for session_id in session_ids])
        except RedisError:
            return {}
        return dict(zip(session_ids, cached, strict=True))

    async def _read_alive(self, asked: Sequence[tuple[UUID, bool]]) -> dict[tuple[UUID, bool], UUID]:
        """Return the user ids of the live sessions, record their use, and cache them in Redis."""
        # Recording a use is a write, so it is done at most once per interval.
        before = now() - min(_RECORD_USE_EVERY, timedelta(seconds=self._settings.portal_idle_seconds / 10))
        async with self._database.identity() as session:
            wanted = col(Session.id) == _any_of(session_id for session_id, _ in asked)
            alive = {
                row.id: row for row in (await session.exec(select(Session).where(wanted))).all() if self.is_alive(row)
            }
            used = {session_id for session_id, is_use in asked if is_use}
            if unrecorded := [row.id for row in alive.values() if row.id in used and row.used_at < before]:
                await _record_use(session, unrecorded)
        owners = {row.id: row.user_id for row in alive.values()}
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for session_id, user_id in owners.items():
                    # NX: an end that was written in the meantime must not be overwritten.
                    pipe.set(self.redis_key(session_id), str(user_id), ex=_ALIVE_SECONDS, nx=True)
                await pipe.execute()
        except RedisError as error:
            _log.debug("sessions.redis_unavailable", error=type(error).__name__)
        return {key: owners[key[0]] for key in asked if key[0] in owners}

    async def require_recent(self, session_id: UUID, *, seconds: int | None = None) -> None:
        """Require a proof of identity of the last minutes before a risky act. Raises StepUpNeeded, NotSignedIn.

        `seconds` is how old the proof may be instead; docs/decisions/0026 tells which act needs what.
        """
        async with self._database.identity() as session:
            row = await session.get(Session, session_id)
        if row is None or not self.is_alive(row):
            raise NotSignedIn("session ended")
        if now() - row.confirmed_at > timedelta(seconds=seconds or self._settings.portal_step_up_seconds):
            raise StepUpNeeded("proof too old")

    async def record_proof(self, session_id: UUID, refresh_token: str, *, factor: str) -> Tokens:
        """Record a new proof of identity by a factor (amr) and rotate the tokens. Raises NotSignedIn."""
        return await self._exchange(refresh_token, confirmed=(session_id, factor))

    async def rotate(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for new tokens of the same session. Raises NotSignedIn.

        A token is accepted again until a successor of it is used: its answer may have been lost. Any other reuse means
        that two parties hold the session, and ends it. docs/decisions/0027 tells why.
        """
        return await self._exchange(refresh_token)

    async def end(self, session_id: UUID, *, because: str = "signed out") -> None:
        """End one session and publish it to all processes and open pages."""
        async with self._database.identity() as session:
            row = await session.get(Session, session_id)
            if row is None or row.ended_at is not None:
                return
            row.ended_at, row.ended_because = now(), because
            record(session, Tag.SIGNED_OUT, user_id=row.user_id, actor="you")
        await self._publish_ended(row)

    async def end_all(self, user_id: UUID, *, because: str, but: UUID | None = None) -> None:
        """End all sessions of a user, except `but`, and the calendar link, which needs no session."""
        async with self._database.identity() as session:
            ended = await self.end_in_transaction(session, user_id, because=because, but=but)
            await end_calendar_link(session, user_id)
        await self.publish_ended(ended)

    @staticmethod
    async def end_in_transaction(
        session: AsyncSession, user_id: UUID, *, because: str, but: UUID | None = None
    ) -> list[Session]:
        """End all sessions of a user, except `but`, in the caller's transaction and return them.

        Pass them to `publish_ended` after the commit. A session that is being opened concurrently is waited for and
        ended too, because of the lock on the user.
        """
        await User.locked(session, user_id, for_change=True)
        ended = [row for row in await Session.alive_of(session, user_id) if row.id != but]
        for row in ended:
            row.ended_at, row.ended_because = now(), because
        return ended

    async def publish_ended(self, ended: list[Session]) -> None:
        """Tell all processes and open pages that sessions ended."""
        for row in ended:
            await self._publish_ended(row)

    async def _exchange(self, refresh_token: str, *, confirmed: tuple[UUID, str] | None = None) -> Tokens:
        async with self._database.identity() as session:
            token = await RefreshToken.by_hash(session, self._random.hash(refresh_token, _PURPOSE))
            row = await session.get(Session, token.session_id) if token else None
            if token is None or row is None or not self.is_alive(row):
                raise NotSignedIn("unknown or ended")
            if not token.closed:
                if token.used_at is not None and now() > self._grace_end(token.used_at):
                    # Nobody waits that long for an answer: it was lost, and who shows it after all is somebody else.
                    await self._close_successors(session, token)
                if confirmed is not None:
                    _record_proof(session, row, *confirmed)
                await self._close_before(session, token)
                token.used_at = token.used_at or now()
                row.used_at = now()
                return self._issue(session, row, predecessor=token.token_hash)
            await self._revoke_family(session, row)
        await self._publish_ended(row)
        raise NotSignedIn("refresh token reused")

    def _issue(self, session: AsyncSession, row: Session, *, predecessor: bytes | None) -> Tokens:
        refresh = self._random.new()
        hashed = self._random.hash(refresh, _PURPOSE)
        session.add(RefreshToken(token_hash=hashed, session_id=row.id, predecessor=predecessor))
        access = self._access.issue(row.user_id, row.id, tuple(row.factors.split()))
        return Tokens(row.user_id, row.id, access, refresh)

    def is_alive(self, row: Session) -> bool:
        """Return whether a session is neither ended nor idle or open for too long."""
        idle_until = row.used_at + timedelta(seconds=self._settings.portal_idle_seconds)
        return row.ended_at is None and now() < min(row.expires_at, idle_until)

    def _grace_end(self, used_at: datetime) -> datetime:
        return used_at + timedelta(seconds=self._settings.portal_refresh_grace_seconds)

    @staticmethod
    async def _close_successors(session: AsyncSession, token: RefreshToken) -> None:
        successors = sa.update(RefreshToken).where(col(RefreshToken.predecessor) == token.token_hash)
        await (await session.connection()).execute(successors.values(closed=True))

    @staticmethod
    async def _close_before(session: AsyncSession, token: RefreshToken) -> None:
        # The first use of a token proves that its owner received it, so its predecessor and the predecessor's other
        # successors are closed.
        if token.used_at is None and token.predecessor is not None:
            older = sa.or_(
                col(RefreshToken.token_hash) == token.predecessor,
                sa.and_(
                    col(RefreshToken.predecessor) == token.predecessor,
                    col(RefreshToken.token_hash) != token.token_hash,
                ),
            )
            connection = await session.connection()
            await connection.execute(sa.update(RefreshToken).where(older).values(closed=True))

    async def _revoke_family(self, session: AsyncSession, row: Session) -> None:
        row.ended_at, row.ended_because = now(), "refresh token reused"
        record(session, Tag.FAMILY_REVOKED, user_id=row.user_id)
        user = await session.get(User, row.user_id)
        if user is not None:
            await self._email_outbox.enqueue(session, "session_revoked", recipient=user.email, user_id=user.id)

    async def _publish_ended(self, row: Session) -> None:
        self.forget_session(row.id)
        try:
            await self._redis.set(self.redis_key(row.id), ENDED, ex=self._settings.portal_session_seconds)
        except RedisError as error:
            _log.warning("sessions.redis_unavailable", error=type(error).__name__)
        await self._live.publish(Change(row.user_id, "session", str(row.id)))


async def end_calendar_link(session: AsyncSession, user_id: UUID) -> None:
    """End the calendar link of a user in the caller's transaction, and record it in the history."""
    if await CalendarLink.revoke(session, user_id):
        record(session, Tag.CALENDAR_CLOSED, user_id=user_id, actor="you")


def _any_of(session_ids: Iterable[UUID]) -> Any:
    # One array parameter: an IN with a hundred parameters costs more than the query itself.
    return sa.any_(sa.literal(list(session_ids), sa.ARRAY(sa.Uuid)))


async def _record_use(session: AsyncSession, session_ids: Sequence[UUID]) -> None:
    """Record that sessions are used now; a row locked by another transaction is skipped until its next use."""
    free = select(Session.id).where(col(Session.id) == _any_of(session_ids)).with_for_update(skip_locked=True)
    change = sa.update(Session).where(col(Session.id).in_(free)).values(used_at=now())
    await (await session.connection()).execute(change)


def _record_proof(session: AsyncSession, row: Session, session_id: UUID, factor: str) -> None:
    if row.id != session_id:
        raise NotSignedIn("refresh token of another session")
    row.confirmed_at = now()
    row.factors = " ".join(dict.fromkeys([*row.factors.split(), factor]))
    record(session, Tag.CONFIRMED, user_id=row.user_id, actor="you")
