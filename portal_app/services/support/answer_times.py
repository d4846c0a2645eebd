"""How long answers of support take: measured each night by category, and told to who waits."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from portal_app.domain.support.answer_time import AnswerTime, expected_answer, usual_seconds
from portal_app.domain.support.business_hours import BusinessHours
from portal_app.domain.support.case import SupportCase
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings
from portal_app.models.support import AnswerTimeRow, CaseRow, EntryRow

# Old answers say little about the next one.
_LOOKED_AT = timedelta(days=90)


class AnswerTimes:
    """Measure and tell answer times."""

    def __init__(self, settings: Settings, database: Database, *, clock: Callable[[], datetime] = now) -> None:
        self._hours = BusinessHours(settings.portal_support_opens, settings.portal_support_closes)
        self._database = database
        self._clock = clock

    async def expected(self, case: SupportCase, promised: datetime | None) -> AnswerTime | None:
        """Return when the team's next answer can be expected; None where nobody waits for it or nothing is known."""
        if case.turn != "team":
            return None
        async with self._database.unit_of_work() as session:
            usual = await session.get(AnswerTimeRow, case.category)
        return expected_answer(
            waits_since=case.last_activity_at,
            promised=promised,
            usual_seconds=usual.seconds if usual else None,
            hours=self._hours,
            now=self._clock(),
        )

    async def measure(self) -> None:
        """Write down the median of the first answers of the last 90 days, by category."""
        answered = sa.func.min(col(EntryRow.at))
        query = (
            sa.select(col(CaseRow.category), col(CaseRow.opened_at), answered)
            .join(EntryRow, col(EntryRow.case_id) == col(CaseRow.id))
            .where(
                col(CaseRow.opened_at) > self._clock() - _LOOKED_AT,
                col(EntryRow.side) == "team",
                col(EntryRow.kind).in_(("comment", "mail")),
            )
            .group_by(col(CaseRow.id), col(CaseRow.category), col(CaseRow.opened_at))
        )
        waits: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            for category, opened_at, answered_at in await connection.execute(query):
                waits[category].append((opened_at, answered_at))
            for category, found in waits.items():
                seconds = usual_seconds(found, self._hours)
                if seconds is not None:
                    values = {"category": category, "seconds": seconds, "samples": len(found), "at": self._clock()}
                    write = insert(AnswerTimeRow).values(values)
                    changed = {name: write.excluded[name] for name in ("seconds", "samples", "at")}
                    again = write.on_conflict_do_update(index_elements=["category"], set_=changed)
                    await connection.execute(again)
