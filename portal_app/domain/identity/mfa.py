"""Second factors, passkeys and devices as their owner sees them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TotpStatus:
    """Two-step sign-in: since when it is on (None: off), and the recovery codes left."""

    since: datetime | None
    codes_left: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app must be given: the key by hand, or the address as a QR code."""

    key: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """One passkey: its name, when it was added and last used."""

    id: UUID
    name: str
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Device:
    """One open session: the browser in words, the network coarsely, and whether it is the one that asks."""

    session_id: UUID
    browser: str
    network: str
    signed_in_at: datetime
    used_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the security history: what (an audit tag), who (you, staff, system), when, and details."""

    at: datetime
    actor: str
    tag: str
    detail: dict[str, str]


def browser_name(user_agent: str) -> str:
    """Return browser and system as people call them; an empty text for what is neither."""
    parts = [_first(user_agent, _BROWSERS), _first(user_agent, _SYSTEMS)]
    return " · ".join(part for part in parts if part)


def coarse_network(address: str) -> str:
    """Return a network address without its last part: enough to recognise, too little to find a person."""
    if ":" in address:
        return ":".join(address.split(":")[:3]) + ":…"
    head, _, _ = address.rpartition(".")
    return f"{head}.x" if head.count(".") == 2 else ""


# The order matters: every browser also names the ones it descends from.
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
