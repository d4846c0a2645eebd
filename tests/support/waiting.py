"""Wait until a condition holds."""

import asyncio
import time
from collections.abc import Awaitable, Callable

# The limit of every wait. No test asserts it: it only ends a broken test, and a busy machine needs many times what
# an idle one does.
LONGEST_SECONDS = 180.0


async def until(question: Callable[[], Awaitable[object]], what: str, *, equals: object = ...) -> None:
    """Ask many times a second until the answer is true, or `equals`; fail with `what` after `LONGEST_SECONDS`."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not _is_met(await question(), equals):
        assert time.monotonic() < deadline, f"not within {LONGEST_SECONDS:.0f} s: {what}"
        await asyncio.sleep(0.05)


def _is_met(answer: object, equals: object) -> bool:
    return bool(answer) if equals is ... else answer == equals
