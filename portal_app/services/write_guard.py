"""Vendor writes that must not run twice although the answer of a first call may be lost."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, OutcomeUnknown
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database

Value = TypeVar("Value")
Locked = Callable[[AsyncSession, UUID], Awaitable[Any]]


class WriteGuard:
    """Notes in a column of a row when a call begins; a later try looks up first what became of it.

    `locked` returns the row, locked for the transaction. `settle` is how long a call may run at the vendor after we
    lost sight of it: within that time an empty look-up proves nothing.
    """

    def __init__(
        self,
        database: Database,
        locked: Locked,
        column: str,
        *,
        settle: timedelta = timedelta(0),
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._database = database
        self._locked = locked
        self._column = column
        self._settle = settle
        self._clock = clock

    async def send(
        self,
        row_id: UUID,
        call: Callable[[], Awaitable[Value]],
        *,
        look_up: Callable[[], Awaitable[Value | None]],
        vendor: str,
        always_look_up: bool = False,
    ) -> Value:
        """Return what `look_up` finds of an earlier call, else make the call.

        Raises OutcomeUnknown while an earlier call may still be running at the vendor, and what the call raises.
        """
        asked_at, tried_at = self._clock(), await self._tried_at(row_id)
        if tried_at is not None or always_look_up:
            found = await look_up()
            if found is not None:
                return found
        if tried_at is not None and asked_at < tried_at + self._settle:
            raise OutcomeUnknown("an earlier call may still be running", vendor=vendor)
        await self._begin(row_id, tried_at, vendor)
        try:
            return await call()
        except (ExternalUnavailable, ExternalRejected):
            # The vendor said no, or never got it: this call needs no look-up, an earlier one still does.
            await self._note(row_id, tried_at)
            raise

    async def _tried_at(self, row_id: UUID) -> datetime | None:
        async with self._database.unit_of_work() as session:
            found: datetime | None = getattr(await self._locked(session, row_id), self._column)
            return found

    async def _begin(self, row_id: UUID, expected: datetime | None, vendor: str) -> None:
        async with self._database.unit_of_work() as session:
            row = await self._locked(session, row_id)
            if getattr(row, self._column) != expected:
                raise OutcomeUnknown("an earlier call may still be running", vendor=vendor)
            setattr(row, self._column, self._clock())

    async def _note(self, row_id: UUID, tried_at: datetime | None) -> None:
        async with self._database.unit_of_work() as session:
            setattr(await self._locked(session, row_id), self._column, tried_at)
