"""One question for many: who asks in the same turn of the event loop shares a round trip."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BatchLoader(Generic[Key, Value]):
    """Collect keys for a moment and `load` them at once; what is raised there is raised to each who asked."""

    def __init__(self, load: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._load = load
        self._asked: dict[Key, asyncio.Future[Value | None]] = {}
        self._loading: set[asyncio.Task[None]] = set()

    async def load(self, key: Key) -> Value | None:
        """Return what was loaded for a key, None where that is nothing."""
        if not self._asked:
            task = asyncio.create_task(self._go())
            self._loading.add(task)
            task.add_done_callback(self._loading.discard)
        answer = self._asked.setdefault(key, asyncio.get_running_loop().create_future())
        # Others may wait for it too, when this one leaves.
        return await asyncio.shield(answer)

    async def _go(self) -> None:
        await asyncio.sleep(0)
        asked, self._asked = self._asked, {}
        try:
            found = await self._load(list(asked))
        except Exception as error:
            for answer in asked.values():
                answer.set_exception(error)
                # It may be that nobody waits any more.
                answer.exception()
        except BaseException:
            for answer in asked.values():
                answer.cancel()
            raise
        else:
            for key, answer in asked.items():
                answer.set_result(found.get(key))
