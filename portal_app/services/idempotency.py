"""Idempotency keys: what somebody asks for with one key happens once, however often it is asked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, InvalidInput, KeyReused, StillRunning
from portal_app.domain.idempotency import Call
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.security.tokens import RandomTokens
from portal_app.infra.settings import Settings
from portal_app.models.idempotency import IdempotencyKey

KEPT = timedelta(hours=24)
# A call that says nothing for this long died with its process. It is longer than any call may take.
_LEASE = timedelta(seconds=60)
_FIRST_LOOK, _SLOWEST_LOOK = 0.05, 0.5


@dataclass(slots=True)
class Claim:
    """The right to carry a call out. Whoever writes rows of ours for it calls `finish` in the same transaction."""

    call: Call
    owner: UUID
    status: int
    is_finished: bool = False

    async def finish(self, session: AsyncSession, resource_id: str) -> None:
        """Note what the call led to. Raises Conflict where somebody else took over meanwhile: write nothing."""
        done = sa.update(IdempotencyKey).where(*_mine(self)).values(status=self.status, resource_id=resource_id)
        if not (await (await session.connection()).execute(done)).rowcount:
            raise Conflict("the key was taken over")
        self.is_finished = True


class Idempotency:
    """Carry calls out once per user, route and key."""

    def __init__(self, settings: Settings, database: Database, tokens: RandomTokens) -> None:
        self._patience = settings.portal_key_wait_seconds
        self._database = database
        self._tokens = tokens

    async def once(self, call: Call, do: Callable[[Claim], Awaitable[str]], *, status: int = 200) -> str:
        """Carry a call out, or return the id of what it led to before. What fails may be asked for again.

        Raises InvalidInput for a malformed key, KeyReused, and StillRunning where the first call does not end in
        time; whatever `do` raises.
        """
        _check(call.key)
        claim = Claim(call, uuid4(), status)
        known = await self._claim(claim)
        if known is not None:
            return known
        try:
            resource_id = await do(claim)
            if not claim.is_finished:
                async with self._database.unit_of_work(customer=call.user_id) as session:
                    await claim.finish(session, resource_id)
        except BaseException:
            await self._release(claim)
            raise
        return resource_id

    async def _claim(self, claim: Claim) -> str | None:
        """Return None once the call is ours to carry out, or what it led to; wait while somebody else does it."""
        pause, waited = _FIRST_LOOK, 0.0
        while True:
            async with self._database.unit_of_work(customer=claim.call.user_id) as session:
                kept = await self._take(session, claim)
            if kept is None or kept.status is not None:
                return kept.resource_id if kept else None
            if waited >= self._patience:
                raise StillRunning("first call still runs")
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, _SLOWEST_LOOK)

    async def _take(self, session: AsyncSession, claim: Claim) -> IdempotencyKey | None:
        call, hashed = claim.call, self._tokens.hash(claim.call.fingerprint, "idempotency")
        row = {"payload_hash": hashed, "resource_id": "", "status": None, "claim": claim.owner, "created_at": now()}
        died = sa.and_(
            col(IdempotencyKey.status).is_(None),
            col(IdempotencyKey.created_at) < now() - _LEASE,
            col(IdempotencyKey.payload_hash) == hashed,
        )
        taken = insert(IdempotencyKey).values(user_id=call.user_id, route=call.route, key=call.key, **row)
        taken = taken.on_conflict_do_update(
            index_elements=["user_id", "route", "key"],
            set_=row,
            where=sa.or_(died, col(IdempotencyKey.created_at) < now() - KEPT),
        )
        connection = await session.connection()
        if (await connection.execute(taken.returning(col(IdempotencyKey.claim)))).first() is not None:
            return None
        kept = await session.get(IdempotencyKey, (call.user_id, call.route, call.key))
        # Given up by the first call between the two looks: the next look takes it.
        kept = kept or IdempotencyKey(user_id=call.user_id, route=call.route, key=call.key, payload_hash=hashed)
        if kept.payload_hash != hashed:
            raise KeyReused({"Idempotency-Key": "This key was used for something else. Send a new one."})
        return kept

    async def _release(self, claim: Claim) -> None:
        async with self._database.unit_of_work(customer=claim.call.user_id) as session:
            # One that was finished stays; `finish` may have been rolled back with what it was written with.
            await (await session.connection()).execute(sa.delete(IdempotencyKey).where(*_mine(claim)))


def _mine(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(IdempotencyKey.user_id) == claim.call.user_id,
        col(IdempotencyKey.route) == claim.call.route,
        col(IdempotencyKey.key) == claim.call.key,
        col(IdempotencyKey.claim) == claim.owner,
        col(IdempotencyKey.status).is_(None),
    )


def _check(key: str) -> None:
    if not (8 <= len(key) <= 200 and key.isascii() and key.isprintable()):
        raise InvalidInput({"Idempotency-Key": "Send a key of 8 to 200 printable characters."})
