"""Log lines of libraries: what they say verbatim only where they are known to quote nothing of callers.

A library may put a whole request into its message or its exception. So a line of an unlisted logger keeps its level and
place, and its text only as far as the library wrote it as a constant.
"""

import logging
import time
from typing import Any

from portal_app.infra.log_redaction import Line

# Loggers whose messages are shown as they come.
_SPEAKING = ("granian", "_granian", "alembic", "apscheduler", "asyncio", "dbos", "portal_app", "sandbox")
# Loggers of which only warnings are wanted.
_NOISY = (
    *("httpx", "httpcore", "dbos", "apscheduler", "simple_salesforce", "urllib3", "granian.access"),
    # With a level set beforehand they add no handler of their own, which would write whole exceptions past this module.
    *("engineio", "engineio.server", "socketio", "socketio.server"),
)
_LONGEST_TEMPLATE = 200
# Lines a minute of one call site of a library.
_MOST_LINES, _WINDOW_SECONDS = 20, 60.0
_MOST_SITES = 10_000


def quieten() -> None:
    """Show only warnings of the libraries that tell every call."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def without_quotes(_: Any, __: str, line: Line) -> Line:
    """Rewrite the line of an unlisted library to its place and its constant text. A processor of structlog."""
    record: logging.LogRecord | None = line.get("_record")
    if record is None:
        return line
    line["logger"] = record.name
    if left_out := getattr(record, "left_out", 0):
        line["left_out"] = left_out
    if record.name.partition(".")[0] in _SPEAKING:
        return line
    line["event"] = "library.message"
    line["place"] = f"{record.filename}:{record.lineno}"
    if template := getattr(record, "template", ""):
        line["template"] = template
    return line


class LibraryFilter(logging.Filter):
    """Let through so many lines a minute of each call site, and keep what is constant of each message."""

    def __init__(self) -> None:
        super().__init__()
        self._sites: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a line is written."""
        # Only with arguments is the message a constant. Kept here, because formatting drops it.
        record.template = record.msg[:_LONGEST_TEMPLATE] if record.args and isinstance(record.msg, str) else ""
        site, now = (record.pathname, record.lineno), time.monotonic()
        began, count = self._sites.get(site, (now, 0))
        if now - began >= _WINDOW_SECONDS:
            record.left_out = max(0, count - _MOST_LINES)
            began, count = now, 0
        if len(self._sites) >= _MOST_SITES:
            self._sites.clear()
        self._sites[site] = began, count + 1
        return count < _MOST_LINES
