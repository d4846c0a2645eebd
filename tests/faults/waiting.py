"""Asking again until it is so."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def until(question: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
    """Ask a few times a second until the answer is yes; fail with `what` when time is up."""
    deadline = time.monotonic() + seconds
    while not await question():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)
