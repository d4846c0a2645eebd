"""Second factors, passkeys, devices and the security history as pages show them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TotpStatus:
    """The time two-step sign-in was turned on (None: off) and the number of unused recovery codes."""

    since: datetime | None
    codes_left: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The secret for an authenticator app: as a key to type, or as an otpauth address for a QR code."""

    key: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """One passkey of a user."""

    id: UUID
    name: str
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Device:
    """One open session; `is_current` marks the session of the request."""

    session_id: UUID
    browser: str
    network: str
    signed_in_at: datetime
    used_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry of the security history. `tag` is an audit tag, `actor` is you, staff or system."""

    at: datetime
    actor: str
    tag: str
    detail: dict[str, str]


def browser_name(user_agent: str) -> str:
    """Return the names of browser and operating system, or an empty text if neither is recognised."""
    parts = [_first(user_agent, _BROWSERS), _first(user_agent, _SYSTEMS)]
    return " · ".join(part for part in parts if part)


def coarse_network(address: str) -> str:
    """Return a network address without its last part: customers recognise it, but it does not identify a person."""
    if ":" in address:
        return ":".join(address.split(":")[:3]) + ":…"
    head, _, _ = address.rpartition(".")
    return f"{head}.x" if head.count(".") == 2 else ""


# The order matters: user agents also contain the names of the browsers they descend from.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def _first(text: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in names if mark in text), "")
