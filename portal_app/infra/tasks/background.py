"""Work for which nobody waits: behind an answer, never in the way of the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable

from portal_app.infra.tasks.deadline import no_deadline

# Long enough for everybody who asks at the same moment to be answered first.
_AFTER_SECONDS = 0.5


class BackgroundTasks:
    """Carry out few pieces of work at once, begun a moment after they were asked for; each key's at most once a time.

    The work tells its own trouble: what it raises is taken by nobody.
    """

    def __init__(self, at_once: int) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._running: dict[Hashable, asyncio.Task[None]] = {}

    def start(self, key: Hashable, work: Callable[[], Awaitable[object]]) -> None:
        """Have it done soon, unless work of this key is under way or waits for its turn."""
        if key not in self._running:
            task = asyncio.create_task(self._do(work))
            self._running[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))

    async def close(self) -> None:
        """Break off what is under way."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _do(self, work: Callable[[], Awaitable[object]]) -> None:
        no_deadline()
        await asyncio.sleep(_AFTER_SECONDS)
        async with self._room:
            await work()

    def _ended(self, key: Hashable, done: asyncio.Task[None]) -> None:
        self._running.pop(key, None)
        if not done.cancelled():
            done.exception()
