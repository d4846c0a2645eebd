"""Imports the carrier's daily file: polling usage for many lines is forbidden by the carrier, a file is the way."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from uuid import UUID

from sqlmodel import col, select

from portal_app.domain.sim.usage_file import BadRow, UsageColumns, UsageRow, usage_rows
from portal_app.infra.clock import today
from portal_app.infra.database.database import Database
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.models.line_change import LINE_PLACE
from portal_app.models.sim_line import SimLineRow
from portal_app.services.sim.readings import LineDays, NoteLines, write_days

# Lines of one transaction.
_AT_ONCE = 500
_SHOWN = 20


@dataclass
class UsageImport:
    """What an import came to. `bad` names some rows by their line in the file; `unknown` numbers are only counted."""

    rows: int = 0
    changed: int = 0
    unknown: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    bad: list[BadRow] = field(default_factory=list)


class UsageImports:
    """Write days of lines from a file. The same file again changes nothing."""

    def __init__(self, settings: Settings, database: Database, note: NoteLines) -> None:
        self._columns = UsageColumns.parse(settings.freebit_usage_columns, unit=settings.freebit_usage_unit)
        self._kept = timedelta(days=settings.portal_keep_reading_days)
        self._database = database
        self._note = note
        self._ring = key_ring_of(settings)

    async def run(self, content: bytes) -> UsageImport:
        """Import a file. Raises BadUsageFile where nothing of it can be used."""
        done = UsageImport()
        days: defaultdict[str, dict[date, int]] = defaultdict(dict)
        for row in self._good_rows(content, done):
            days[row.number][row.day] = row.used_bytes
        numbers = iter(days)
        while batch := list(islice(numbers, _AT_ONCE)):
            await self._write({number: days[number] for number in batch}, done)
        return done

    def _good_rows(self, content: bytes, done: UsageImport) -> Iterator[UsageRow]:
        for row in usage_rows(content, self._columns, today=today()):
            done.rows += 1
            if isinstance(row, BadRow):
                done.problems[row.problem] += 1
                if len(done.bad) < _SHOWN:
                    done.bad.append(row)
            elif row.day >= today() - self._kept:
                yield row

    async def _write(self, days: dict[str, dict[date, int]], done: UsageImport) -> None:
        indexes = {self._ring.index(number, LINE_PLACE): number for number in days}
        query = select(SimLineRow.number_index, SimLineRow.service_id, SimLineRow.user_id).where(
            col(SimLineRow.number_index).in_(list(indexes))
        )
        async with self._database.unit_of_work() as session:
            known: dict[bytes, tuple[int, UUID]] = {
                index: (service, user) for index, service, user in (await session.exec(query)).all() if index
            }
            lines = [LineDays(*known[index], days[number]) for index, number in indexes.items() if index in known]
            done.unknown += sum(len(days[number]) for index, number in indexes.items() if index not in known)
            done.changed += await write_days(session, lines, source="file")
            # Also where nothing changed: an import may have ended before the lines were looked at.
            await self._note(session, [line.service_id for line in lines])
