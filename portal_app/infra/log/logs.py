"""Structured logs: JSON in production, text in development, with the correlation id and without secrets."""

import logging
import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from asgi_correlation_id import correlation_id

from portal_app import __version__
from portal_app.infra.log.foreign_logs import LibraryFilter, quieten, without_quotes
from portal_app.infra.log.redaction import Line, bounded, redact
from portal_app.infra.log.tracebacks import tracebacks, write_traceback

# The web server reads it: its lines are those of the portal in form.
LOGGING_FILE = Path(__file__).with_name("granian_logging.json")
_log = structlog.get_logger(__name__)


def set_up_logs(*, process: str, log_format: str, level: str) -> None:
    """Configure logging of this process: lines of the portal and of libraries go to standard error in one format.

    Lines of the portal bypass the standard library's logging, which would make them three times as expensive (a
    quarter of the cost of a request that is answered from the response cache).
    """
    shared, last = _first_processors(process, log_format), _last_processors(log_format)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_library_formatter(shared, last))
    handler.addFilter(LibraryFilter())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    quieten()
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=lambda *_: _Lines(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )


def web_server_formatter() -> logging.Formatter:
    """Return the formatter of the web server's own lines (LOGGING_FILE names it): the same as of the portal's."""
    log_format = os.environ.get("PORTAL_LOG_FORMAT", "json")
    return _library_formatter(_first_processors("web", log_format), _last_processors(log_format))


def log_failure(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log the exception that ends the process, as its `sys.excepthook`; Python would write it as plain text."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    _log.critical("process.failed", exc_info=error.with_traceback(traceback))


def _first_processors(process: str, log_format: str) -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_correlation_id,
        partial(_with_process, process, log_format == "json"),
        redact,
    ]


def _library_formatter(shared: list[Any], last: list[Any]) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[without_quotes, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )


def _with_process(process: str, is_whole: bool, _: Any, __: str, line: Line) -> Line:
    # Durable work runs in contexts of its own: what is bound in ours does not reach it.
    line.setdefault("process", process)
    if is_whole:
        # Not read once: the server's workers are forks.
        line["pid"], line["version"] = os.getpid(), __version__
    return line


def _last_processors(log_format: str) -> list[Any]:
    if log_format == "json":
        return [tracebacks(), bounded(structlog.processors.JSONRenderer(ensure_ascii=False))]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), pad_event_to=24, exception_formatter=write_traceback
    )
    return [bounded(console)]


class _Lines:
    """Writes rendered lines. A line that cannot be written is dropped; the caller is not affected."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


def _with_correlation_id(_: Any, __: str, line: Line) -> Line:
    if current := correlation_id.get():
        line.setdefault("correlation_id", current)
    return line
