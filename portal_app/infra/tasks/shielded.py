"""Tasks that run to their end although the caller who awaited them was cancelled."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")
Work = Callable[[], Coroutine[Any, Any, Result]]


class ShieldedTasks:
    """Run work in tasks of its own; callers with the same key share one task."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._by_key: dict[Hashable, asyncio.Task[Any]] = {}

    def start(self, work: Work[Result], *, key: Hashable = None) -> asyncio.Task[Result]:
        """Return the running task of this key, or a new one; without a key always a new one."""
        if key is not None and self.is_running(key):
            return self._by_key[key]
        task = asyncio.create_task(work())
        self._running.add(task)
        if key is not None:
            self._by_key[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    async def run(self, work: Work[Result], *, key: Hashable = None) -> Result:
        """Start or join a task and return its result. Cancelling the caller does not cancel the task."""
        return await asyncio.shield(self.start(work, key=key))

    def is_running(self, key: Hashable) -> bool:
        """Say whether a caller with this key would join a running task."""
        return key in self._by_key and not self._by_key[key].done()

    def release_keys(self) -> None:
        """Let the tasks go on, but give later callers new ones: the running ones may hold stale data."""
        self._by_key.clear()

    async def close(self, *, seconds: float = 0) -> None:
        """Give the running tasks so many seconds to end, then cancel them."""
        running = list(self._running)
        if running and seconds:
            await asyncio.wait(running, timeout=seconds)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if self._by_key.get(key) is task:
            del self._by_key[key]
        if not task.cancelled():
            # The callers got the error; without any left, asyncio would log it as never retrieved.
            task.exception()
