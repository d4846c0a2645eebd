"""Background work that starts after the response and has its own concurrency limit."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial

from portal_app.infra.tasks.deadline import no_deadline
from portal_app.infra.tasks.shielded import ShieldedTasks

# Long enough for every request of the same moment to be answered first.
_DELAY_SECONDS = 0.5


class BackgroundTasks:
    """Run at most `at_once` pieces of work, each a moment after it was asked for, and one per key at a time.

    The work reports its own errors: what it raises is dropped.
    """

    def __init__(self, at_once: int) -> None:
        self._limit = asyncio.Semaphore(at_once)
        self._tasks = ShieldedTasks()
        self._is_closed = False

    def start(self, key: Hashable, work: Callable[[], Awaitable[object]]) -> None:
        """Start the work soon, unless work of this key is running or queued, or the process is ending."""
        if not self._is_closed:
            self._tasks.start(partial(self._run, work), key=key)

    async def close(self) -> None:
        """Cancel what is running or queued. Nothing starts afterwards: its connections are closed by then."""
        self._is_closed = True
        await self._tasks.close()

    async def _run(self, work: Callable[[], Awaitable[object]]) -> None:
        no_deadline()
        await asyncio.sleep(_DELAY_SECONDS)
        async with self._limit:
            await work()
