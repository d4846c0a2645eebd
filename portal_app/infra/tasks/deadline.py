"""Patience: how long one visit waits for vendors, over everything that is read for it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from portal_app.domain.errors import ExternalUnavailable

# What is left to whoever comes last: enough for what is kept already.
_LEAST_SECONDS = 0.1
_began: ContextVar[float | None] = ContextVar("visit_began", default=None)


@contextmanager
def request_deadline() -> Iterator[None]:
    """Count what is waited within as one: a request, or one event of a page. A visit within a visit is part of it."""
    token = _began.set(time.monotonic()) if _began.get() is None else None
    try:
        yield
    finally:
        if token is not None:
            _began.reset(token)


def no_deadline() -> None:
    """Let the present task wait as long as it takes, whoever asked for it: its visitor has been answered."""
    _began.set(math.inf)


def remaining_seconds(seconds: float) -> float:
    """Return what the present visit may wait yet of so many seconds: all where no visit has begun, for nobody inf."""
    began = _began.get()
    if began is None:
        return seconds
    if began == math.inf:
        return math.inf
    return min(seconds, max(_LEAST_SECONDS, seconds - (time.monotonic() - began)))


@asynccontextmanager
async def deadline(seconds: float, *, vendor: str) -> AsyncIterator[None]:
    """Wait within only for what is left of these seconds. Raises ExternalUnavailable afterwards.

    What is waited for ends with it, unless it is shared or shielded: a reading of the cache goes on.
    """
    try:
        async with asyncio.timeout(remaining_seconds(seconds)):
            yield
    except TimeoutError as error:
        raise ExternalUnavailable("slower than our patience", vendor=vendor) from error
