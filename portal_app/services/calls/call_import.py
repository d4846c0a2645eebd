"""Imports the carrier's file of calls and SMS, some hundred rows at a time: its size does not matter."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.calls.call_file import BadCallRow, CallColumns, CallRow, call_rows
from portal_app.infra.clock import now, today
from portal_app.infra.database.database import Database
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.language.format import JAPAN
from portal_app.models.line_change import LINE_PLACE
from portal_app.models.sim_call import ID_PLACE, NewCall, SimCall
from portal_app.models.sim_line import SimLineRow

# Rows of one transaction.
_AT_ONCE = 500
_SHOWN = 20


@dataclass
class CallImport:
    """What an import came to. `bad` names some rows by their line in the file; the other rows are only counted.

    `unknown`: numbers that no service is linked to. `not_theirs`: records of a number from before it was its present
    customer's, or whose line's begin is not known yet. `old`: records past the time they are kept.
    """

    rows: int = 0
    added: int = 0
    changed: int = 0
    unknown: int = 0
    not_theirs: int = 0
    old: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    bad: list[BadCallRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Line:
    service_id: int
    user_id: UUID
    since: date | None


class CallImports:
    """Write calls and SMS of lines from a file. The same file again changes nothing."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._columns = CallColumns.parse(settings.freebit_call_columns, settings.freebit_call_kinds)
        self._kept = timedelta(days=settings.portal_keep_call_days)
        self._database = database
        self._ring = key_ring_of(settings)

    async def run(self, file: BinaryIO) -> CallImport:
        """Import a file that can be read twice. Raises BadCallFile where nothing of it can be used."""
        done = CallImport()
        rows = self._good_rows(file, done)
        while batch := list(islice(rows, _AT_ONCE)):
            async with self._database.unit_of_work() as session:
                await self._write(session, batch, done)
        return done

    def _good_rows(self, file: BinaryIO, done: CallImport) -> Iterator[CallRow]:
        oldest = oldest_month(today(), self._kept)
        for row in call_rows(file, self._columns, now=now()):
            done.rows += 1
            if isinstance(row, BadCallRow):
                done.problems[row.problem] += 1
                if len(done.bad) < _SHOWN:
                    done.bad.append(row)
            elif row.call.month < oldest:
                done.old += 1
            else:
                yield row

    async def _write(self, session: AsyncSession, batch: Sequence[CallRow], done: CallImport) -> None:
        lines = await self._lines(session, {row.number for row in batch})
        new: dict[UUID, NewCall] = {}
        for row in batch:
            line = lines.get(row.number)
            if line is None:
                done.unknown += 1
            elif line.since is None or row.call.at.astimezone(JAPAN).date() < line.since:
                # The number may have been another customer's.
                done.not_theirs += 1
            else:
                number = self._id_of(line.service_id, row)
                new[number] = NewCall(number, line.service_id, line.user_id, row.call)
        added, changed = await SimCall.write(session, list(new.values()))
        done.added, done.changed = done.added + added, done.changed + changed

    def _id_of(self, service_id: int, row: CallRow) -> UUID:
        return UUID(bytes=self._ring.index(f"{service_id}|{row.call.identity}", ID_PLACE)[:16])

    async def _lines(self, session: AsyncSession, numbers: set[str]) -> dict[str, _Line]:
        indexes = {self._ring.index(number, LINE_PLACE): number for number in numbers}
        query = select(SimLineRow).where(col(SimLineRow.number_index).in_(list(indexes)))
        return {
            indexes[row.number_index]: _Line(row.service_id, row.user_id, row.to_snapshot().started_on)
            for row in (await session.exec(query)).all()
            if row.number_index
        }


def oldest_month(day: date, kept: timedelta) -> date:
    """Return the oldest month of which records are kept: one goes whole, once its last day is old enough."""
    return (day - kept).replace(day=1)
