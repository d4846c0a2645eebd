"""Dates, times and durations as a customer reads them: in Japan's zone, in the spoken language."""

import math
import re
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from portal_app.language import spoken

JAPAN = ZoneInfo("Asia/Tokyo")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
# Units by their seconds, with their words.
_UNITS = ((86400, "day", "日"), (3600, "hour", "時間"), (60, "minute", "分"), (1, "second", "秒"))


def day(value: date | None) -> str:
    """Format a business date; an unknown one is a dash."""
    if value is None:
        return "–"
    return f"{value.year}年{value.month}月{value.day}日" if spoken() == "ja" else f"{value:%-d %b %Y}"


def month(value: date) -> str:
    """Format the month of a day."""
    return f"{value.year}年{value.month}月" if spoken() == "ja" else f"{value:%B %Y}"


def time(value: datetime) -> str:
    """Format a moment with its time in Japan."""
    local = value.astimezone(JAPAN)
    return f"{day(local.date())} {local:%H:%M}" if spoken() == "ja" else f"{local:%-d %b %Y, %H:%M}"


def duration(seconds: float, *, rounds_up: bool = False) -> str:
    """Return a span of time in words, in the largest unit that says it exactly; long ones in whole minutes at least.

    What cannot be said exactly is rounded down, so that nothing promises more than it keeps; waits round up.
    """
    whole = math.ceil(seconds) if rounds_up else int(seconds)
    if whole > 120 and whole % 60:
        whole = (whole // 60 + rounds_up) * 60
    size, english, japanese = next(unit for unit in _UNITS if (whole and whole % unit[0] == 0) or unit[0] == 1)
    count = whole // size
    return f"{count}{japanese}" if spoken() == "ja" else f"{count} {english}{'' if count == 1 else 's'}"


class Duration:
    """A span of time inside a Phrase: said in the language in which the phrase is read."""

    def __init__(self, seconds: float, *, rounds_up: bool = False) -> None:
        self._seconds = seconds
        self._rounds_up = rounds_up

    def __str__(self) -> str:
        """Return the span in the spoken language."""
        return duration(self._seconds, rounds_up=self._rounds_up)


def listed(words: Iterable[str]) -> str:
    """Return words in a row, as the language separates them."""
    return ("、" if spoken() == "ja" else ", ").join(words)


def person(name: str) -> str:
    """Write a name that is stored with the given name first in the order of the spoken language.

    A name in Japanese script has its family name, the last word, in front on Japanese pages; others stay as they are.
    """
    given, _space, family = name.rpartition(" ")
    return f"{family} {given}" if given and spoken() == "ja" and _EAST_ASIAN.search(name) else name


def addressed(name: str) -> str:
    """Write a name as a greeting says it: in Japanese with さま, behind a space where the name is in Latin letters."""
    if spoken() != "ja":
        return person(name)
    return f"{person(name)}さま" if _EAST_ASIAN.search(name) else f"{name} さま"


def phone_number(digits: str) -> str:
    """Write a mobile number in its usual groups; numbers of other lengths stay as they are."""
    return f"{digits[:3]}-{digits[3:7]}-{digits[7:]}" if len(digits) == 11 else digits
