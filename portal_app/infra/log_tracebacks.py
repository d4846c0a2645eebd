"""Tracebacks in log lines: the way to a defect, never the values that were on it."""

import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TextIO

from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from portal_app.infra.log_redaction import Line

# Frames of a traceback; more would fill the line and say little.
_MOST_FRAMES = 15
_LONGEST_REASON = 300
_LIBRARIES = "site-packages"
# Libraries whose exceptions quote nothing of callers in their first line; others put whole requests into them.
_SHOWN = ("alembic", "dbos", "grpc", "httpcore", "httpx", "psycopg", "psycopg_pool", "redis", "sqlalchemy")

_Exception = tuple[type[BaseException], BaseException, TracebackType | None]


def tracebacks() -> Callable[[Any, str, Line], Line]:
    """Return a processor that renders exceptions for JSON, without local variables."""
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
    """Write an exception and its causes for people, by the same rules."""
    for error in reversed(list(_causes(exc_info[1]))):
        frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
        stream.write("".join(traceback.format_list(frames)))
        raised_in = frames[-1].filename if frames else ""
        stream.write(f"{type(error).__name__}: {reason_of(raised_in, str(error))}\n")


def reason_of(raised_in: str, text: str) -> str:
    """Return what may be shown of an exception's text: its first line, and nothing of an unlisted library's.

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
