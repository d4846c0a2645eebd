"""Wait until a condition holds."""

import asyncio
import time
from collections.abc import Awaitable, Callable

# The limit of every wait. No test asserts it: it only ends a broken test, and a busy machine needs many times what
# an idle one does.
LONGEST_SECONDS = 180.0


async def until(question: Callable[[], Awaitable[bool]], what: str) -> None:
    """Check many times a second until the condition holds; fail with `what` after `LONGEST_SECONDS`."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not await question():
        assert time.monotonic() < deadline, f"not within {LONGEST_SECONDS:.0f} s: {what}"
        await asyncio.sleep(0.05)
