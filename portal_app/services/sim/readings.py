"""Lines' own daily readings: written by visits of a page and by the carrier's file, whichever tells of a day."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.sim.usage import is_implausible
from portal_app.infra.clock import now, today
from portal_app.infra.metrics import counter
from portal_app.models.sim_reading import SimReading

# Tells of lines of which something new is known, in the transaction that writes it.
NoteLines = Callable[[AsyncSession, Sequence[int]], Awaitable[None]]
Source = Literal["file", "visit"]
_BEFORE = timedelta(days=31)
_SET_ASIDE = counter("portal_sim_readings_set_aside", "Daily readings of SIM lines that cannot be and are not used")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LineDays:
    """Whole days of one service's line, in bytes."""

    service_id: int
    user_id: UUID
    days: Mapping[date, int]


async def write_days(session: AsyncSession, lines: Sequence[LineDays], *, source: Source) -> int:
    """Write days of lines, in the caller's transaction; return how many were new or changed.

    An amount that cannot be is stored and set aside, and operators are told: its unit has changed, most likely.
    """
    lines = [line for line in lines if line.days]
    if not lines:
        return 0
    since = min(min(line.days) for line in lines) - _BEFORE
    known: defaultdict[int, dict[date, int]] = defaultdict(dict)
    for service_id, day, used in await SimReading.days_of_lines(session, [line.service_id for line in lines], since):
        known[service_id][day] = used
    rows = [row for line in lines for row in _rows(line, known[line.service_id], source)]
    changed = await SimReading.write(session, rows)
    odd = {row["service_id"] for row in rows if row["is_set_aside"]}
    if odd and changed:
        _SET_ASIDE.inc(len(odd))
        _log.warning("sims.readings_set_aside", services=sorted(odd)[:20], lines=len(odd), source=source)
    return changed


def visited_days(recent: tuple[int | None, ...]) -> dict[date, int]:
    """Return the whole days that a visit read, yesterday first."""
    return {today() - timedelta(days=back): used for back, used in enumerate(recent, start=1) if used is not None}


def _rows(line: LineDays, known: dict[date, int], source: Source) -> list[dict[str, Any]]:
    rows = []
    for day, amount in sorted(line.days.items()):
        before = [used for each, used in known.items() if day - _BEFORE <= each < day]
        is_odd = is_implausible(amount, before)
        if not is_odd:
            known[day] = amount
        rows.append({
            "service_id": line.service_id, "day": day, "user_id": line.user_id, "used_bytes": amount,
            "source": source, "is_set_aside": is_odd, "read_at": now(),
        })  # fmt: skip
    return rows
