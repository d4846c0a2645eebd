"""The queue of password hashing: few threads, a bounded number of waiting calls, known devices before strangers."""

import asyncio
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from portal_app.domain.errors import Overloaded
from portal_app.infra.metrics import counter

_THREADS = 2
_REFUSED = counter("portal_hashing_refused", "Password hashes that were not made, by reason", ["reason"])
Result = TypeVar("Result")


class HashQueue:
    """Runs hashes in two threads of low priority; bcrypt releases the GIL.

    At most `waiting` calls wait, each for `seconds` at most. `reserved` of these places are kept for callers who are
    known: a storm of strangers can take neither their places nor their turn.
    """

    def __init__(self, *, waiting: int = 24, reserved: int = 8, seconds: float = 5.0) -> None:
        self._most = waiting
        self._most_strangers = max(1, waiting - reserved)
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="bcrypt", initializer=_lower_priority)
        self._running = 0
        self._known: deque[asyncio.Future[None]] = deque()
        self._strangers: deque[asyncio.Future[None]] = deque()

    def require_room(self, *, is_known: bool) -> None:
        """Raise Overloaded if a call would be refused now: for callers who have work to do before they hash."""
        if self._running < _THREADS:
            return
        is_full = len(self._known) + len(self._strangers) >= self._most
        if is_full or (not is_known and len(self._strangers) >= self._most_strangers):
            raise self._refusal("full")

    async def run(self, work: Callable[..., Result], *args: Any, is_known: bool = True) -> Result:
        """Wait for a thread and return what the work returns. Raises Overloaded where the queue is full or too slow."""
        await self._wait_for_turn(is_known)
        loop = asyncio.get_running_loop()
        hashing = self._pool.submit(work, *args)
        # By the thread's end, not the caller's: one who leaves does not free a thread that still works.
        hashing.add_done_callback(partial(self._freed, loop))
        return await asyncio.wrap_future(hashing)

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False)

    async def _wait_for_turn(self, is_known: bool) -> None:
        self.require_room(is_known=is_known)
        if self._running < _THREADS:
            self._running += 1
            return
        turn = asyncio.get_running_loop().create_future()
        line = self._known if is_known else self._strangers
        line.append(turn)
        try:
            async with asyncio.timeout(self._seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._pass_on()
            with suppress(ValueError):
                line.remove(turn)
            if isinstance(error, TimeoutError):
                raise self._refusal("late") from error
            raise

    def _freed(self, loop: asyncio.AbstractEventLoop, _: object) -> None:
        # The loop of a process that ends is closed already.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._pass_on)

    def _pass_on(self) -> None:
        """Give the thread that became free to the next call: known callers first."""
        for line in (self._known, self._strangers):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._running -= 1

    def _refusal(self, reason: str) -> Overloaded:
        _REFUSED.labels(reason).inc()
        return Overloaded(f"hashing {reason}", retry_after=math.ceil(self._seconds))


def _lower_priority() -> None:
    """Lower the priority of this thread, so that hashing does not delay page requests."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
