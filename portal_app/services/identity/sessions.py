"""Sessions: opened at sign-in, carried by short access tokens and a chain of refresh tokens, ended everywhere."""

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
from portal_app.infra.database.database import Database
from portal_app.infra.redis.batching import BatchLoader
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.tokens import Access, AccessTokens, RandomTokens
from portal_app.infra.settings import Settings
from portal_app.models.columns import now
from portal_app.models.session import RefreshToken, Session
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.notifications.email_outbox import EmailOutbox

_PURPOSE = "refresh"
# How long this process, and then Redis, may answer for PostgreSQL. An end is pushed to all of them at once; one that
# the push and Redis both missed must still show within five seconds.
_MEMORY_SECONDS = 1.5
_ALIVE_SECONDS = 3
_MOST_REMEMBERED = 20_000
_USE_NOTED_EVERY = timedelta(seconds=60)
# What Redis says of a session that is over; of a live one it says whose it is.
ENDED = "ended"
_log = structlog.get_logger(__name__)


class Sessions:
    """Open, check, rotate and end sessions."""

    def __init__(
        self, settings: Settings, database: Database, redis: Redis, live: LiveUpdates, notifications: EmailOutbox
    ) -> None:
        self._settings = settings
        self._database = database
        self._redis = redis
        self._live = live
        self._notifications = notifications
        self._access = AccessTokens(settings.jwt_secret.get_secret_value(), lifetime=settings.portal_access_seconds)
        self._random = RandomTokens(settings.jwt_refresh_secret.get_secret_value())
        self._remembered: dict[UUID, tuple[UUID, float]] = {}
        self._forgotten = 0
        self._kept = BatchLoader(self._read_kept)
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
        """Begin a session inside the caller's transaction."""
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

    def read(self, access_token: str) -> Access:
        """Return what an access token says. Raises NotSignedIn. Whether the session still lives: `check`."""
        return self._access.verify(access_token)

    async def require_live(self, session_id: UUID, *, is_use: bool = True) -> UUID:
        """Return whose session this is. Raises NotSignedIn when it ended or ran out.

        Use slides the idle time; what we do by ourselves in a session is none.
        This process and Redis remember a live session for a moment each; nobody remembers longer than five seconds.
        """
        user_id, until = self._remembered.get(session_id, (None, 0.0))
        if user_id is not None and time.monotonic() < until:
            return user_id
        forgotten = self._forgotten
        user_id = await self._ask(session_id, is_use=is_use)
        # Not where an end came in meanwhile: what was read may be older than it.
        if forgotten == self._forgotten:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[session_id] = user_id, time.monotonic() + _MEMORY_SECONDS
        return user_id

    async def require_access(self, access: Access, *, is_use: bool = True) -> None:
        """Raise NotSignedIn unless the session of an access token lives and is its user's."""
        if await self.require_live(access.session_id, is_use=is_use) != access.user_id:
            raise NotSignedIn("the session is another user's")

    @staticmethod
    def key_of(session_id: UUID) -> str:
        """Return the name under which Redis says whose a session is, or that it ended."""
        return f"session:{session_id}"

    def forget(self, session_id: UUID) -> None:
        """Stop answering for a session from memory: somebody says that it ended."""
        self._forgotten += 1
        self._remembered.pop(session_id, None)

    async def over_among(self, session_ids: set[UUID]) -> set[UUID]:
        """Return those of some sessions that ended or ran out; looking is no use of them."""
        async with self._database.identity() as session:
            rows = (await session.exec(select(Session).where(col(Session.id).in_(session_ids)))).all()
        return session_ids - {row.id for row in rows if self.is_alive(row)}

    async def _ask(self, session_id: UUID, *, is_use: bool) -> UUID:
        kept = await self._kept.load(session_id)
        if kept == ENDED.encode():
            raise NotSignedIn("session ended")
        if kept is not None:
            return UUID(kept.decode())
        user_id = await self._alive.load((session_id, is_use))
        if user_id is None:
            raise NotSignedIn("session ended")
        return user_id

    async def _read_kept(self, session_ids: Sequence[UUID]) -> dict[UUID, bytes | None]:
        try:
            kept = await self._redis.mget([self.key_of(session_id) for session_id in session_ids])
        except RedisError:
            return {}
        return dict(zip(session_ids, kept, strict=True))

    async def _read_alive(self, asked: Sequence[tuple[UUID, bool]]) -> dict[tuple[UUID, bool], UUID]:
        """Return whose the living ones of some sessions are, note those that are used, and let Redis know."""
        # Not at every look: noting a use is a write.
        before = now() - min(_USE_NOTED_EVERY, timedelta(seconds=self._settings.portal_idle_seconds / 10))
        async with self._database.identity() as session:
            wanted = col(Session.id) == _any_of(session_id for session_id, _ in asked)
            alive = {
                row.id: row for row in (await session.exec(select(Session).where(wanted))).all() if self.is_alive(row)
            }
            used = {session_id for session_id, is_use in asked if is_use}
            if unnoted := [row.id for row in alive.values() if row.id in used and row.used_at < before]:
                await _note_use(session, unnoted)
        owners = {row.id: row.user_id for row in alive.values()}
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for session_id, user_id in owners.items():
                    # Only where nothing stands: an end that came in between must win.
                    pipe.set(self.key_of(session_id), str(user_id), ex=_ALIVE_SECONDS, nx=True)
                await pipe.execute()
        except RedisError as error:
            _log.debug("sessions.redis_away", error=type(error).__name__)
        return {key: owners[key[0]] for key in asked if key[0] in owners}

    async def require_recent(self, session_id: UUID) -> None:
        """Ask for a fresh proof of who this is before a risky change. Raises StepUpNeeded, NotSignedIn."""
        async with self._database.identity() as session:
            row = await session.get(Session, session_id)
        if row is None or not self.is_alive(row):
            raise NotSignedIn("session ended")
        if now() - row.confirmed_at > timedelta(seconds=self._settings.portal_step_up_seconds):
            raise StepUpNeeded("proof too old")

    async def confirm(self, session_id: UUID, refresh_token: str, *, factor: str) -> Tokens:
        """Note a fresh proof by a factor (amr) and rotate the tokens; the session stays. Raises NotSignedIn."""
        return await self._exchange(refresh_token, confirmed=(session_id, factor))

    async def rotate(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for new tokens of the same session. Raises NotSignedIn.

        The previous token stays good until its successor is first used, at most the grace time; any other reuse
        means that somebody else holds a copy, and ends the whole session.
        """
        return await self._exchange(refresh_token)

    async def end(self, session_id: UUID, *, because: str = "signed out") -> None:
        """End one session everywhere: tokens, open pages, other processes."""
        async with self._database.identity() as session:
            row = await session.get(Session, session_id)
            if row is None or row.ended_at is not None:
                return
            row.ended_at, row.ended_because = now(), because
            record(session, Tag.SIGNED_OUT, user_id=row.user_id, actor="you")
        await self._tell_ended(row)

    async def end_all(self, user_id: UUID, *, because: str, but: UUID | None = None) -> None:
        """End all sessions of a user, except one if given."""
        async with self._database.identity() as session:
            ended = await self.end_within(session, user_id, because=because, but=but)
        await self.tell_ended(ended)

    @staticmethod
    async def end_within(
        session: AsyncSession, user_id: UUID, *, because: str, but: UUID | None = None
    ) -> list[Session]:
        """End all sessions of a user inside the caller's transaction; hand them to `tell_ended` once it is over.

        A session that is being opened meanwhile is waited for and ended too.
        """
        await User.held(session, user_id, for_change=True)
        ended = [row for row in await Session.alive_of(session, user_id) if row.id != but]
        for row in ended:
            row.ended_at, row.ended_because = now(), because
        return ended

    async def tell_ended(self, ended: list[Session]) -> None:
        """Let every process and open page know of sessions that ended."""
        for row in ended:
            await self._tell_ended(row)

    async def _exchange(self, refresh_token: str, *, confirmed: tuple[UUID, str] | None = None) -> Tokens:
        async with self._database.identity() as session:
            token = await RefreshToken.by_hash(session, self._random.hash(refresh_token, _PURPOSE))
            row = await session.get(Session, token.session_id) if token else None
            if token is None or row is None or not self.is_alive(row):
                raise NotSignedIn("unknown or ended")
            if not self._is_reuse(token):
                if confirmed is not None:
                    _note_proof(session, row, *confirmed)
                await self._close_before(session, token)
                token.used_at = token.used_at or now()
                row.used_at = now()
                return self._issue(session, row, predecessor=token.token_hash)
            await self._revoke_family(session, row)
        await self._tell_ended(row)
        raise NotSignedIn("refresh token reused")

    def _issue(self, session: AsyncSession, row: Session, *, predecessor: bytes | None) -> Tokens:
        refresh = self._random.new()
        hashed = self._random.hash(refresh, _PURPOSE)
        session.add(RefreshToken(token_hash=hashed, session_id=row.id, predecessor=predecessor))
        access = self._access.issue(row.user_id, row.id, tuple(row.factors.split()))
        return Tokens(row.user_id, row.id, access, refresh)

    def is_alive(self, row: Session) -> bool:
        """Say whether a session was neither ended nor left idle or open for too long."""
        idle_until = row.used_at + timedelta(seconds=self._settings.portal_idle_seconds)
        return row.ended_at is None and now() < min(row.expires_at, idle_until)

    def _is_reuse(self, token: RefreshToken) -> bool:
        if token.closed:
            return True
        return token.used_at is not None and now() > self._grace_end(token.used_at)

    def _grace_end(self, used_at: datetime) -> datetime:
        return used_at + timedelta(seconds=self._settings.portal_refresh_grace_seconds)

    @staticmethod
    async def _close_before(session: AsyncSession, token: RefreshToken) -> None:
        # Using a token proves its owner has it: its predecessor and that one's other successors are done for.
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
            await self._notifications.mail(session, "session_revoked", recipient=user.email, user_id=user.id)

    async def _tell_ended(self, row: Session) -> None:
        self.forget(row.id)
        try:
            await self._redis.set(self.key_of(row.id), ENDED, ex=self._settings.portal_session_seconds)
        except RedisError as error:
            _log.warning("sessions.redis_away", error=type(error).__name__)
        await self._live.publish(Change(row.user_id, "session", str(row.id)))


def _any_of(session_ids: Iterable[UUID]) -> Any:
    # One value for all of them: an IN with a hundred values costs more than the question.
    return sa.any_(sa.literal(list(session_ids), sa.ARRAY(sa.Uuid)))


async def _note_use(session: AsyncSession, session_ids: Sequence[UUID]) -> None:
    """Note that sessions are used now; one that somebody else changes just then is left for its next use."""
    free = select(Session.id).where(col(Session.id) == _any_of(session_ids)).with_for_update(skip_locked=True)
    change = sa.update(Session).where(col(Session.id).in_(free)).values(used_at=now())
    await (await session.connection()).execute(change)


def _note_proof(session: AsyncSession, row: Session, session_id: UUID, factor: str) -> None:
    if row.id != session_id:
        raise NotSignedIn("refresh token of another session")
    row.confirmed_at = now()
    row.factors = " ".join(dict.fromkeys([*row.factors.split(), factor]))
    record(session, Tag.CONFIRMED, user_id=row.user_id, actor="you")
