"""One deadline per request for all vendor reads: a request that waits for several vendors waits once."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from portal_app.domain.errors import ExternalUnavailable

# Minimum time for the last read of a request: enough for a cache hit.
_LEAST_SECONDS = 0.1
_began: ContextVar[float | None] = ContextVar("request_began", default=None)


@contextmanager
def request_deadline() -> Iterator[None]:
    """Count the waits within as one: a request, or one event of a page. A nested one belongs to the outer one."""
    token = _began.set(time.monotonic()) if _began.get() is None else None
    try:
        yield
    finally:
        if token is not None:
            _began.reset(token)


def no_deadline() -> None:
    """Remove the deadline from the current task: it runs after the response was sent."""
    _began.set(math.inf)


def remaining_seconds(seconds: float) -> float:
    """Return how many of these seconds the current request has left: all outside a request, inf without a deadline."""
    began = _began.get()
    if began is None:
        return seconds
    if began == math.inf:
        return math.inf
    return min(seconds, max(_LEAST_SECONDS, seconds - (time.monotonic() - began)))


@asynccontextmanager
async def deadline(seconds: float, *, vendor: str) -> AsyncIterator[None]:
    """Wait for what is left of these seconds. Raises ExternalUnavailable afterwards.

    What is awaited is cancelled then, unless it runs in a shielded task, as a computation of the cache does.
    """
    try:
        async with asyncio.timeout(remaining_seconds(seconds)):
            yield
    except TimeoutError as error:
        raise late(vendor) from error


def late(vendor: str) -> ExternalUnavailable:
    """Return the error of a vendor that did not answer within the deadline."""
    return ExternalUnavailable("slower than the deadline", vendor=vendor)
