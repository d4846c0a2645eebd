"""A customer's days: when bills are due, when services renew and end."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from portal_app.language import Language

EntryKind = Literal["due", "renewal", "last_day", "withdraw_until"]


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One day in Japan. `id` is the invoice's or service's, `name` what the customer calls it."""

    kind: EntryKind
    id: int
    name: str
    on: date


@dataclass(frozen=True, slots=True)
class CalendarFeed:
    """What a calendar link shows, in whose language, and how old it may be."""

    language: Language
    entries: tuple[CalendarEntry, ...]
    read_at: datetime
