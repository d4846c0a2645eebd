"""The carrier's file of daily use: CSV in UTF-8 or Shift-JIS, one line and day a row."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from portal_app.domain.sim.sim import parse_sim_account

RowProblem = Literal["number", "day", "future", "amount", "columns", "repeated"]
_AMOUNT = re.compile(r"\d{1,15}", re.ASCII)
_DAY = re.compile(r"(\d{4})[-/]?(\d{1,2})[-/]?(\d{1,2})", re.ASCII)


class BadUsageFile(Exception):
    """The file as a whole cannot be used: its text or its head line."""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one line used on one day."""

    number: str = field(repr=False)
    day: date
    used_bytes: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out, by its place in the file; it quotes nothing of the row."""

    place: int
    problem: RowProblem


@dataclass(frozen=True, slots=True)
class UsageColumns:
    """The names of the columns, and the bytes in one unit of the amount."""

    number: str
    day: str
    amount: str
    unit: int

    @classmethod
    def parse(cls, names: str, *, unit: int) -> "UsageColumns":
        """Read `number,day,amount` names. Raises ValueError."""
        found = [name.strip() for name in names.split(",")]
        if len(found) != 3 or not all(found):
            raise ValueError("write three names of columns: number, day and amount")
        number, day, amount = found
        return cls(number, day, amount, unit)


def text_of(content: bytes) -> str:
    """Decode a file: UTF-8 with or without BOM, otherwise Shift-JIS as Windows writes it. Raises BadUsageFile."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadUsageFile("The file is neither UTF-8 nor Shift-JIS.")


def usage_rows(content: bytes, columns: UsageColumns, *, today: date) -> Iterator[UsageRow | BadRow]:
    """Yield the rows of a file, a bad one as what is wrong with it. Raises BadUsageFile."""
    reader = csv.reader(io.StringIO(text_of(content), newline=""))
    try:
        head = [_plain(name) for name in next(reader, [])]
        places = [head.index(_plain(name)) for name in (columns.number, columns.day, columns.amount)]
    except ValueError as error:
        wanted = ", ".join((columns.number, columns.day, columns.amount))
        raise BadUsageFile(f"The head line needs the columns {wanted}.") from error
    except csv.Error as error:
        raise BadUsageFile(f"The file is no CSV: {error}.") from error
    seen: set[tuple[str, date]] = set()
    for cells in _rows(reader):
        if not cells:
            continue
        row = _row(cells, places, columns.unit, place=reader.line_num, today=today)
        if isinstance(row, UsageRow):
            if (row.number, row.day) in seen:
                row = BadRow(reader.line_num, "repeated")
            else:
                seen.add((row.number, row.day))
        yield row


def _rows(reader: Any) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise BadUsageFile(f"Line {reader.line_num} is no CSV: {error}.") from error


def _row(cells: list[str], places: list[int], unit: int, *, place: int, today: date) -> UsageRow | BadRow:
    if max(places) >= len(cells):
        return BadRow(place, "columns")
    number, day_text, amount = (_plain(cells[column]) for column in places)
    try:
        account = parse_sim_account(number)
    except ValueError:
        return BadRow(place, "number")
    written = _DAY.fullmatch(day_text)
    try:
        day = date(int(written[1]), int(written[2]), int(written[3])) if written else None
    except ValueError:
        day = None
    if day is None:
        return BadRow(place, "day")
    if day >= today:
        return BadRow(place, "future")
    if not _AMOUNT.fullmatch(amount) or int(amount) * unit > 2**62:
        return BadRow(place, "amount")
    return UsageRow(account, day, int(amount) * unit)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()
