"""Asking again until it is so."""

import asyncio
import time
from collections.abc import Awaitable, Callable

# The end of every wait. No test says anything by it: it only keeps a broken one from waiting for ever, and a machine
# with other work to do needs many times what an idle one does.
LONGEST_SECONDS = 180.0


async def until(question: Callable[[], Awaitable[bool]], what: str) -> None:
    """Ask many times a second until the answer is yes; fail with `what` after `LONGEST_SECONDS`."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not await question():
        assert time.monotonic() < deadline, f"not within {LONGEST_SECONDS:.0f} s: {what}"
        await asyncio.sleep(0.05)
