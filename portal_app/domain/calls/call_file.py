"""The carrier's file of calls and SMS: CSV in UTF-8 or Shift-JIS, read row by row so that its size does not matter."""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, Literal, get_args

from portal_app.domain.calls.call import Call, CallKind
from portal_app.domain.sim.sim import parse_sim_account
from portal_app.language.format import JAPAN

CallProblem = Literal["number", "time", "future", "kind", "other", "seconds", "charge", "columns"]
_CHUNK, _LONGEST_LINE = 1 << 16, 1 << 14
_NAMES = 6
_MOST_SECONDS, _MOST_YEN = 7 * 86400, 10**7
_TIME = re.compile(r"(\d{4})[-/]?(\d{1,2})[-/]?(\d{1,2})[ T]?(\d{1,2}):?(\d{2})(?::?(\d{2}))?", re.ASCII)
_OTHER = re.compile(r"\+?[0-9*#]{1,24}", re.ASCII)
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)


class BadCallFile(Exception):
    """The file as a whole cannot be used: its text or its head line."""


@dataclass(frozen=True, slots=True)
class CallRow:
    """A record and the number of its line."""

    number: str = field(repr=False)
    call: Call


@dataclass(frozen=True, slots=True)
class BadCallRow:
    """A row that was left out, by its place in the file; it quotes nothing of the row."""

    place: int
    problem: CallProblem


@dataclass(frozen=True, slots=True)
class CallColumns:
    """The names of the columns, the charge's empty for a file without it, and the carrier's words for each kind."""

    names: tuple[str, ...]
    kinds: Mapping[str, CallKind]

    @classmethod
    def parse(cls, names: str, kinds: str) -> "CallColumns":
        """Read `number,time,kind,other,seconds[,charge]` and `word=call,word=sms`. Raises ValueError."""
        found = [_plain(name) for name in names.split(",")]
        if len(found) not in (_NAMES - 1, _NAMES) or not all(found):
            raise ValueError("write five or six names of columns: number, time, kind, other number, seconds, charge")
        words: dict[str, CallKind] = {}
        for entry in kinds.split(","):
            word, _, kind = entry.partition("=")
            told = next((each for each in get_args(CallKind) if each == kind.strip()), None)
            if told is None or not word.strip():
                raise ValueError("write the words of each kind as word=call or word=sms, comma separated")
            words[_plain(word).casefold()] = told
        return cls(tuple(found), words)


def call_rows(file: BinaryIO, columns: CallColumns, *, now: datetime) -> Iterator[CallRow | BadCallRow]:
    """Yield the rows of a file that can be read twice, a bad one as what is wrong with it. Raises BadCallFile."""
    reader = csv.reader(_lines(file))
    try:
        head = [_plain(name) for name in next(reader, [])]
        places = [head.index(name) for name in columns.names]
    except (ValueError, csv.Error) as error:
        raise BadCallFile(f"The head line needs the columns {', '.join(columns.names)}.") from error
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield BadCallRow(reader.line_num, "columns")
            continue
        if cells:
            read = _row(cells, places, columns.kinds, now=now)
            yield read if isinstance(read, CallRow) else BadCallRow(reader.line_num, read)


def _lines(file: BinaryIO) -> Iterator[str]:
    encoding = _encoding_of(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        while line := text.readline(_LONGEST_LINE):
            yield line
    finally:
        text.detach()


def _encoding_of(file: BinaryIO) -> str:
    """Return the encoding in which the whole file can be read, chunk by chunk. Raises BadCallFile."""
    for encoding in ("utf-8-sig", "cp932"):
        file.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise BadCallFile("The file is neither UTF-8 nor Shift-JIS.")


def _row(cells: list[str], places: list[int], kinds: Mapping[str, CallKind], *, now: datetime) -> CallRow | CallProblem:
    if max(places) >= len(cells):
        return "columns"
    number, time, word, other, seconds, *charge = (_plain(cells[place]) for place in places)
    try:
        account = parse_sim_account(number)
    except ValueError:
        return "number"
    at = _moment(time)
    if at is None or at > now:
        return "time" if at is None else "future"
    kind = kinds.get(word.casefold())
    if kind is None:
        return "kind"
    party = re.sub(r"[ ()\-‐−]", "", other)
    if not _OTHER.fullmatch(party):
        return "other"
    length = 0 if kind == "sms" else _count(seconds, most=_MOST_SECONDS)
    if length is None:
        return "seconds"
    cost = _count(charge[0], most=_MOST_YEN) if charge and charge[0] else None
    if charge and charge[0] and cost is None:
        return "charge"
    return CallRow(account, Call(at, kind, party, length, cost))


def _moment(text: str) -> datetime | None:
    found = _TIME.fullmatch(text)
    try:
        parts = [int(part or 0) for part in found.groups()] if found else []
        return datetime(*parts, tzinfo=JAPAN).astimezone(UTC) if parts else None  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        # The year 1 stands for no time in many systems, and is out of range in UTC.
        return None


def _count(text: str, *, most: int) -> int | None:
    return int(text) if _DIGITS.fullmatch(text) and int(text) <= most else None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()
