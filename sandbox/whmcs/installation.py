"""One WHMCS installation: its rows, its clock, its request fields and the hooks it fires."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.settings import SandboxSettings
from sandbox.store import Document, Store
from sandbox.whmcs.php import Malformed, Value, integer, unserialize

TIMEZONE = ZoneInfo("Asia/Tokyo")
NO_TIME = "0000-00-00 00:00:00"
NO_DATE = "0000-00-00"
PAGE_SIZE = 25


class Refused(Exception):
    """A business error: HTTP 200 with result=error and this message."""


class Request:
    """The fields of one API call, read with PHP's habits."""

    def __init__(self, fields: dict[str, Value]) -> None:
        self.fields = fields

    def has(self, name: str) -> bool:
        """Say whether the field was sent at all."""
        return name in self.fields

    def text(self, name: str, default: str = "") -> str:
        """Return a scalar field, stripped; an array counts as not sent."""
        value = self.fields.get(name, default)
        return value.strip() if isinstance(value, str) else default

    def number(self, name: str, default: int = 0) -> int:
        """Return a field cast to an integer as PHP does."""
        text = self.text(name)
        return integer(text) if text else default

    def flag(self, name: str) -> bool:
        """Return PHP's truth of a field: everything but an empty text and 0 is true, even the word false."""
        return self.text(name) not in ("", "0")

    def array(self, name: str) -> dict[str, Value]:
        """Return an array field keyed by index as text. Raises Refused when a scalar was sent."""
        value = self.fields.get(name, {})
        if not isinstance(value, dict):
            raise Refused(f"Expecting parameter '{name}' to be an array")
        return value


class Installation:
    """What every action works on. Rows are documents with an integer id."""

    def __init__(self, settings: SandboxSettings, store: Store, clock: Clock, faults: Faults) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.faults = faults
        self.listeners: list[Callable[[str, dict[str, int]], None]] = []

    @property
    def url(self) -> str:
        """The system URL."""
        return f"{self.settings.base_url}/whmcs"

    def hook(self, event: str, **ids: int) -> None:
        """Fire a hook point with the ids it concerns."""
        for listener in self.listeners:
            listener(event, ids)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Fire no hooks inside."""
        listeners, self.listeners = self.listeners, []
        try:
            yield
        finally:
            self.listeners = listeners

    def now(self) -> datetime:
        """Return the server's local time."""
        return self.clock.now().astimezone(TIMEZONE)

    def today(self) -> date:
        """Return the server's local date."""
        return self.now().date()

    def stamp(self) -> str:
        """Return the local time as WHMCS writes it."""
        return self.now().strftime("%Y-%m-%d %H:%M:%S")

    def row(self, kind: str, number: int | str) -> Document | None:
        """Return one row by id, or None."""
        return self.store.get(f"whmcs.{kind}", number)

    def required(self, kind: str, number: int | str, refusal: str) -> Document:
        """Return one row by id. Raises Refused in these words where there is none."""
        row = self.row(kind, number)
        if row is None:
            raise Refused(refusal)
        return row

    def rows(self, kind: str, **wanted: object) -> list[Document]:
        """Return all rows of a kind whose fields equal the wanted values, oldest first."""
        found = self.store.all(f"whmcs.{kind}")
        return [row for row in found if all(row[name] == value for name, value in wanted.items())]

    def add(self, kind: str, fields: Document) -> Document:
        """Insert a row under the next id of its kind and return it."""
        row = {"id": self.store.next_number(f"whmcs.{kind}"), **fields}
        self.save(kind, row)
        return row

    def save(self, kind: str, row: Document) -> None:
        """Write a row back."""
        self.store.put(f"whmcs.{kind}", row["id"], row)

    def remove(self, kind: str, number: int) -> None:
        """Delete a row."""
        self.store.delete(f"whmcs.{kind}", number)


def page(rows: list[Document], request: Request) -> tuple[list[Document], Document]:
    """Cut rows by limitstart and limitnum and return them with the counters of the answer."""
    start = max(request.number("limitstart"), 0)
    cut = rows[start : start + max(request.number("limitnum", PAGE_SIZE), 0)]
    return cut, {"totalresults": len(rows), "startnumber": start, "numreturned": len(cut)}


def day_in(text: str) -> date | None:
    """Return the date a field holds; None for 0000-00-00 and for what is no date: WHMCS keeps any text."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def custom_fields(encoded: Value, known: dict[str, str]) -> dict[str, str]:
    """Read base64 of a serialized {field id: value}; unknown fields and unreadable text are dropped as WHMCS does."""
    if not isinstance(encoded, str) or not encoded:
        return {}
    try:
        values = unserialize(encoded)
    except Malformed:
        return {}
    if not isinstance(values, dict):
        return {}
    return {str(key): str(value) for key, value in values.items() if str(key) in known and not isinstance(value, dict)}
