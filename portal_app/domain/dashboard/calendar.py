"""Calendar entries of a customer: due dates, renewals and last days of services."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from portal_app.language import Language

EntryKind = Literal["due", "renewal", "last_day", "withdraw_until"]


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One entry on a date in Japan. `id` and `name` are those of the invoice or service."""

    kind: EntryKind
    id: int
    name: str
    on: date


@dataclass(frozen=True, slots=True)
class CalendarFeed:
    """The content of a calendar link, in the customer's language; `read_at` is the age of the data."""

    language: Language
    entries: tuple[CalendarEntry, ...]
    read_at: datetime
