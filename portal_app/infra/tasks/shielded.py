"""Work that goes on when whoever waited for it has left."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class ShieldedTasks:
    """Carry work out to its end, whether or not somebody still waits."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Begin the work and wait for it: who leaves does not end it. Raises what it raises."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def close(self, *, seconds: float = 0) -> None:
        """Give the work under way so many seconds to end, then break it off."""
        running = list(self._running)
        if running and seconds:
            await asyncio.wait(running, timeout=seconds)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Its waiters were told; where all of them have left, nobody takes the error.
            task.exception()
