"""Filters log lines of libraries, whose messages may contain customers' data.

A library may log a whole request. So a line of an unlisted logger keeps its level, its place in the code and its
message template, but not the values in it.
"""

import logging
import time
from typing import Any

from portal_app.infra.log.redaction import Line

# Loggers whose messages are logged unchanged, because they contain no data of callers.
_TRUSTED = ("granian", "_granian", "alembic", "apscheduler", "asyncio", "dbos", "portal_app", "sandbox")
# Loggers of which only warnings are wanted.
_NOISY = (
    *("httpx", "httpcore", "dbos", "apscheduler", "simple_salesforce", "urllib3", "granian.access"),
    # With a level set, these add no handler of their own, which would log whole exceptions past this filter.
    *("engineio", "engineio.server", "socketio", "socketio.server"),
)
_LONGEST_TEMPLATE = 200
# Maximum lines per minute of one call site of a library.
_MOST_LINES, _WINDOW_SECONDS = 20, 60.0
_MOST_SITES = 10_000


def quieten() -> None:
    """Set libraries that log every call to level WARNING."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def without_quotes(_: Any, __: str, line: Line) -> Line:
    """Reduce the line of an unlisted library to its place and message template. A structlog processor."""
    record: logging.LogRecord | None = line.get("_record")
    if record is None:
        return line
    line["logger"] = record.name
    if left_out := getattr(record, "left_out", 0):
        line["left_out"] = left_out
    if record.name.partition(".")[0] in _TRUSTED:
        return line
    line["event"] = "library.message"
    line["place"] = f"{record.filename}:{record.lineno}"
    if template := getattr(record, "template", ""):
        line["template"] = template
    return line


class LibraryFilter(logging.Filter):
    """Limits the lines per minute of each call site, and stores the message template of each record."""

    def __init__(self) -> None:
        super().__init__()
        self._sites: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is written."""
        # Only a message with arguments is a constant template. Stored here, because formatting drops it.
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
