"""Idempotency keys: a call is carried out once per user, operation and key, however often it is sent."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, InvalidInput, KeyReused, StillRunning
from portal_app.domain.idempotency import Call, Claim
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.security.tokens import RandomTokens
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.shielded import ShieldedTasks
from portal_app.models.idempotency import IdempotencyKey

KEPT = timedelta(hours=24)
Value = TypeVar("Value")
# A claim this old belongs to a process that died: no call takes so long.
_LEASE = timedelta(seconds=60)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


@dataclass(slots=True)
class _RowClaim:
    """A claim as a row without status. Its id tells it from the claim of a process that took over."""

    call: Call
    owner: UUID
    status: int
    is_finished: bool = False

    async def finish(self, session: AsyncSession, resource_id: str) -> None:
        """Record what the call led to, in the caller's transaction. Raises Conflict where another took over."""
        done = sa.update(IdempotencyKey).where(*_mine(self)).values(status=self.status, resource_id=resource_id)
        if not (await (await session.connection()).execute(done)).rowcount:
            raise Conflict("the key was taken over")
        self.is_finished = True


class Idempotency:
    """Carry calls out once per user, operation and key."""

    def __init__(self, settings: Settings, database: Database, tokens: RandomTokens) -> None:
        self._wait_seconds = settings.portal_key_wait_seconds
        self._database = database
        self._tokens = tokens
        self._running = ShieldedTasks()
        self._reading = ShieldedTasks()

    async def once_shared(self, call: Call, do: Callable[[Claim], Awaitable[str]], *, status: int = 200) -> str:
        """Carry a call out as `once` does; the same calls at the same time in this process share one run.

        A caller who leaves does not end the run. Raises as `once`.
        """
        # Fifty presses of one button: without sharing, each would ask the database again and again while it waits.
        return await self._running.run(lambda: self.once(call, do, status=status), key=call)

    async def once_shared_with(
        self,
        call: Call,
        do: Callable[[Claim], Awaitable[str]],
        read: Callable[[str], Coroutine[Any, Any, Value]],
        *,
        status: int = 200,
    ) -> Value:
        """Carry a call out as `once_shared`, and return what `read` returns for its id, read once for all callers."""
        resource_id = await self.once_shared(call, do, status=status)
        return await self._reading.run(lambda: read(resource_id), key=call)

    async def once(self, call: Call, do: Callable[[Claim], Awaitable[str]], *, status: int = 200) -> str:
        """Carry a call out, or return the id that it led to before. A call that failed may be sent again.

        Raises InvalidInput for a malformed key, KeyReused, and StillRunning where the first call does not end in
        time; whatever `do` raises.
        """
        _check(call.key)
        claim = _RowClaim(call, uuid4(), status)
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

    async def _claim(self, claim: _RowClaim) -> str | None:
        """Return None once the claim is ours, or what the call led to; wait while another carries it out."""
        pause, waited = _FIRST_PAUSE, 0.0
        while True:
            async with self._database.unit_of_work(customer=claim.call.user_id) as session:
                kept = await self._take(session, claim)
            if kept is None or kept.status is not None:
                return kept.resource_id if kept else None
            if waited >= self._wait_seconds:
                raise StillRunning("first call still runs")
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.1, _LONGEST_PAUSE)

    async def _take(self, session: AsyncSession, claim: _RowClaim) -> IdempotencyKey | None:
        call, hashed = claim.call, self._tokens.hash(claim.call.fingerprint, "idempotency")
        row = {"payload_hash": hashed, "resource_id": "", "status": None, "claim": claim.owner, "created_at": now()}
        died = sa.and_(
            col(IdempotencyKey.status).is_(None),
            col(IdempotencyKey.created_at) < now() - _LEASE,
            col(IdempotencyKey.payload_hash) == hashed,
        )
        taken = insert(IdempotencyKey).values(user_id=call.user_id, route=call.operation, key=call.key, **row)
        taken = taken.on_conflict_do_update(
            index_elements=["user_id", "route", "key"],
            set_=row,
            where=sa.or_(died, col(IdempotencyKey.created_at) < now() - KEPT),
        )
        connection = await session.connection()
        if (await connection.execute(taken.returning(col(IdempotencyKey.claim)))).first() is not None:
            return None
        kept = await session.get(IdempotencyKey, (call.user_id, call.operation, call.key))
        # The first call gave up between the two queries: the next attempt takes the key.
        kept = kept or IdempotencyKey(user_id=call.user_id, route=call.operation, key=call.key, payload_hash=hashed)
        if kept.payload_hash != hashed:
            raise KeyReused({"Idempotency-Key": "This key was used for something else. Send a new one."})
        return kept

    async def _release(self, claim: _RowClaim) -> None:
        async with self._database.unit_of_work(customer=claim.call.user_id) as session:
            # One that was finished stays; `finish` may have been rolled back with what it was written with.
            await (await session.connection()).execute(sa.delete(IdempotencyKey).where(*_mine(claim)))


def _mine(claim: _RowClaim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(IdempotencyKey.user_id) == claim.call.user_id,
        col(IdempotencyKey.route) == claim.call.operation,
        col(IdempotencyKey.key) == claim.call.key,
        col(IdempotencyKey.claim) == claim.owner,
        col(IdempotencyKey.status).is_(None),
    )


def _check(key: str) -> None:
    if not (8 <= len(key) <= 200 and key.isascii() and key.isprintable()):
        raise InvalidInput({"Idempotency-Key": "Send a key of 8 to 200 printable characters."})
