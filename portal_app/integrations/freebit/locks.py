"""Locks of a line, for all processes: Freebit takes half an hour to change one, and nothing may come between.

They stand in PostgreSQL with what the change asked for: they survive a flush of Redis, follow the portal's clock, and
tell later whether the change was carried out.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import ExternalUnavailable, LineLocked, OutcomeUnknown, PortalError
from portal_app.domain.sim.line_change import CARRIER
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.security.encryption import KeyRing
from portal_app.models.line_change import LINE_PLACE, LineChangeRow

_log = structlog.get_logger(__name__)
# Two processes that want the same line take turns: they cannot both find it free.
_TURN = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(encode(:line, 'hex'), 0))")


@dataclass(frozen=True, slots=True)
class Change:
    """What a change waits for, for how many seconds it holds which locks, and what the line shows once it is done."""

    waits_for: tuple[str, ...]
    holds: dict[str, int]
    wanted: Mapping[str, str] | None = None


class LineLocks:
    """Lock lines in PostgreSQL under a keyed hash of their number: no row shows whose line it is."""

    def __init__(self, database: Database, ring: KeyRing) -> None:
        self._database = database
        self._ring = ring

    @asynccontextmanager
    async def held(self, account: str, change: Change) -> AsyncIterator[None]:
        """Hold the change's locks; they stay when it was accepted or its outcome is unknown.

        Raises LineLocked with the seconds to wait, and ExternalUnavailable while PostgreSQL is away: without the locks
        nothing is sent.
        """
        line, token = self._ring.index(account, LINE_PLACE), uuid4()
        await self._lock(line, change, token)
        try:
            yield
        except OutcomeUnknown:
            raise
        except LineLocked as locked:
            await self._unlock(line, change.holds, token, carrier_seconds=locked.retry_after)
            raise
        except PortalError:
            await self._unlock(line, change.holds, token)
            raise

    async def release(self, account: str, names: Iterable[str]) -> None:
        """Release locks, whichever change holds them. While PostgreSQL is away they end by themselves."""
        line = self._ring.index(account, LINE_PLACE)
        try:
            async with self._database.unit_of_work() as session:
                await LineChangeRow.delete(session, line, names)
        except ExternalUnavailable as error:
            _log.warning("freebit.lock_stays", error=type(error).__name__)

    async def _lock(self, line: bytes, change: Change, token: UUID) -> None:
        async with self._database.unit_of_work() as session:
            await (await session.connection()).execute(_TURN, {"line": line})
            moment, rows = now(), await LineChangeRow.of_line(session, line)
            locking = [row for row in rows if row.kind in change.waits_for and row.to_domain().locks_at(moment)]
            if locking:
                raise LineLocked(ceil(max((row.held_until - moment).total_seconds() for row in locking)))
            # One change may hold several locks: the shortest lasts as long as the carrier needs for it.
            watched = min(change.holds, key=lambda kind: change.holds[kind])
            for kind, seconds in change.holds.items():
                wanted = dict(change.wanted) if change.wanted and kind == watched else None
                await self._write(session, line, kind, token=token, seconds=seconds, wanted=wanted)

    async def _unlock(
        self, line: bytes, names: Iterable[str], token: UUID, *, carrier_seconds: int | None = None
    ) -> None:
        try:
            async with self._database.unit_of_work() as session:
                await LineChangeRow.delete(session, line, names, token=token)
                if carrier_seconds:
                    # For the customer's page; it holds up nothing, as it may be over any moment.
                    await self._write(session, line, CARRIER, token=token, seconds=carrier_seconds, wanted=None)
        except ExternalUnavailable as error:
            _log.warning("freebit.lock_stays", error=type(error).__name__)  # until it ends by itself

    async def _write(
        self,
        session: AsyncSession,
        line: bytes,
        kind: str,
        *,
        token: UUID,
        seconds: int,
        wanted: dict[str, str] | None,
    ) -> None:
        moment = now()
        values = {
            "token": token,
            "state": "open",
            "started_at": moment,
            "held_until": moment + timedelta(seconds=seconds),
            "wanted": sa.null() if wanted is None else wanted,
            "is_at_most": kind == CARRIER,
        }
        write = insert(LineChangeRow).values(line=line, kind=kind, **values)
        again = write.on_conflict_do_update(index_elements=["line", "kind"], set_=values)
        await (await session.connection()).execute(again)
