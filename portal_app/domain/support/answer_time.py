"""When an answer can be expected: by what was promised, or by how long answers took lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Literal

from portal_app.domain.support.business_hours import BusinessHours

# Fewer answers than these say nothing about the next one.
FEWEST_SAMPLES = 20


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """When an answer is due. `promised` by the team or `usual`; `late` where that moment has passed."""

    kind: Literal["promised", "usual", "late"]
    at: datetime


def expected_answer(
    *, waits_since: datetime, promised: datetime | None, usual_seconds: int | None, hours: BusinessHours, now: datetime
) -> AnswerTime | None:
    """Return when an answer can be expected; None where nothing is known. A promise goes before experience."""
    if promised is None and usual_seconds is None:
        return None
    at = promised if promised is not None else hours.after(waits_since, usual_seconds or 0)
    if at <= now:
        return AnswerTime("late", at)
    return AnswerTime("usual" if promised is None else "promised", at)


def usual_seconds(waits: Sequence[tuple[datetime, datetime]], hours: BusinessHours) -> int | None:
    """Return the median of waits, each from question to answer, in business hours; None for too few."""
    if len(waits) < FEWEST_SAMPLES:
        return None
    return int(median(hours.seconds_between(begin, end) for begin, end in waits))
