"""Batching: calls of the same turn of the event loop share one round trip."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from portal_app.infra.tasks.shielded import ShieldedTasks

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BatchLoader(Generic[Key, Value]):
    """Collect keys for one turn of the event loop and `load` them at once; an error is raised to every caller."""

    def __init__(self, load: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._load = load
        self._asked: dict[Key, asyncio.Future[Value | None]] = {}
        self._tasks = ShieldedTasks()

    async def load(self, key: Key) -> Value | None:
        """Return the value of a key, or None where there is none."""
        if not self._asked:
            self._tasks.start(self._load_asked)
        answer = self._asked.setdefault(key, asyncio.get_running_loop().create_future())
        # A cancelled caller must not cancel the answer of the others.
        return await asyncio.shield(answer)

    async def _load_asked(self) -> None:
        await asyncio.sleep(0)
        asked, self._asked = self._asked, {}
        try:
            found = await self._load(list(asked))
        except Exception as error:
            for answer in asked.values():
                answer.set_exception(error)
                # Where every caller was cancelled, asyncio would log it as never retrieved.
                answer.exception()
        except BaseException:
            for answer in asked.values():
                answer.cancel()
            raise
        else:
            for key, answer in asked.items():
                answer.set_result(found.get(key))
