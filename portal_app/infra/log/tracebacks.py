"""Renders tracebacks for log lines without local variables, whose values may be customers' data."""

import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TextIO

from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from portal_app.infra.log.redaction import Line

# Frames of a traceback; more would exceed the length of a line.
_MOST_FRAMES = 15
_LONGEST_REASON = 300
_LIBRARIES = "site-packages"
# Libraries whose exceptions contain no data of callers in their first line; others may contain whole requests.
_SHOWN = ("alembic", "dbos", "grpc", "httpcore", "httpx", "psycopg", "psycopg_pool", "redis", "sqlalchemy")

_Exception = tuple[type[BaseException], BaseException, TracebackType | None]


def tracebacks() -> Callable[[Any, str, Line], Line]:
    """Return a structlog processor that renders exceptions for JSON."""
    render = ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=_MOST_FRAMES))

    def rendered(logger: Any, name: str, line: Line) -> Line:
        line = render(logger, name, line)
        stacks = line.get("exception")
        for stack in _with_inner(stacks) if isinstance(stacks, list) else ():
            frames = stack.get("frames") or [{}]
            stack["exc_value"] = reason_of(str(frames[-1].get("filename", "")), str(stack.get("exc_value", "")))
            stack.pop("exc_notes", None)
        return line

    return rendered


def write_traceback(stream: TextIO, exc_info: _Exception) -> None:
    """Write an exception and its causes as text, by the same rules."""
    for error in reversed(list(_causes(exc_info[1]))):
        frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
        stream.write("".join(traceback.format_list(frames)))
        raised_in = frames[-1].filename if frames else ""
        stream.write(f"{type(error).__name__}: {reason_of(raised_in, str(error))}\n")


def reason_of(raised_in: str, text: str) -> str:
    """Return the part of an exception's text that may be logged: its first line, or nothing for an unlisted library.

    `raised_in` is the file of the innermost frame.
    """
    _, library, place = raised_in.rpartition(_LIBRARIES)
    if library and place.strip("/\\").partition("/")[0] not in _SHOWN:
        return ""
    return text.partition("\n")[0][:_LONGEST_REASON]


def _with_inner(stacks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for stack in stacks:
        yield stack
        for group in stack.get("exceptions") or ():
            yield from _with_inner(group)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
