"""Dates and times as a customer reads them: in Japan's zone, in the spoken language."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from portal_app.language import spoken

JAPAN = ZoneInfo("Asia/Tokyo")


def day(value: date | None) -> str:
    """Format a business date; an unknown one is a dash."""
    if value is None:
        return "–"
    return f"{value.year}年{value.month}月{value.day}日" if spoken() == "ja" else f"{value:%-d %b %Y}"


def time(value: datetime) -> str:
    """Format a moment with its time in Japan."""
    local = value.astimezone(JAPAN)
    return f"{day(local.date())} {local:%H:%M}" if spoken() == "ja" else f"{local:%-d %b %Y, %H:%M}"


def phone_number(digits: str) -> str:
    """Write a mobile number in its usual groups; numbers of other lengths stay as they are."""
    return f"{digits[:3]}-{digits[3:7]}-{digits[7:]}" if len(digits) == 11 else digits
