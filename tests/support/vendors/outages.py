"""Faults of servers and vendors."""

from typing import Any

_NOWHERE = "postgresql://portal@127.0.0.1:1/portal"


NO_DATABASE = {f"database_{name}url": _NOWHERE for name in ("", "web_", "identity_")}


OUTAGES: dict[str, dict[str, Any]] = {
    "fails with 500": {"flaky": 1.0},
    "is a maintenance page": {"down": True},
    "answers a web page": {"broken": "html"},
    "breaks off in the middle": {"broken": "half"},
    "says nothing": {"broken": "silence"},
    "hangs up": {"broken": "refused"},
}
