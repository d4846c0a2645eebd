"""The queue of password hashing: it ends, keeps places for known devices, and nobody waits beyond its deadline."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from portal_app.domain.errors import Overloaded
from portal_app.infra.security.hash_queue import HashQueue
from tests.support.waiting import until


class Work:
    """Two hashes that run until they are let go, so that every further one waits."""

    def __init__(self, queue: HashQueue) -> None:
        self.queue = queue
        self.begun: list[str] = []
        self.done: list[str] = []
        self._gate = threading.Semaphore(0)
        self._calls: list[asyncio.Task[None]] = []

    async def begin(self, name: str, *, is_known: bool) -> bool:
        """Send one; return whether it runs or waits."""
        call = asyncio.create_task(self.queue.run(self._hash, name, is_known=is_known))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._calls.append(call)
        if call.done():
            assert isinstance(call.exception(), Overloaded)
        return not call.done()

    async def outcomes(self) -> list[BaseException | None]:
        """Let the hashes go, and return what became of all calls."""
        self.release()
        return await asyncio.gather(*self._calls, return_exceptions=True)

    async def turns(self, count: int) -> list[str]:
        """Let so many hashes go, one after the other, and return in which order they began."""

        for number in range(count):
            expected = min(number + 2, count)

            async def has_begun(expected: int = expected) -> bool:
                return len(self.begun) == expected

            await until(has_begun, "the next hash begins")
            self._gate.release()
        return self.begun

    def release(self) -> None:
        """Let all hashes go."""
        self._gate.release(100)

    def leave(self, number: int) -> None:
        """Hang up as the caller of one."""
        self._calls[number].cancel()

    def _hash(self, name: str) -> None:
        self.begun.append(name)
        self._gate.acquire(timeout=60)
        self.done.append(name)


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work(HashQueue(waiting=4, reserved=2, seconds=60))
    yield work
    work.release()
    work.queue.close()


async def test_strangers_take_neither_the_reserved_places_nor_the_turn_of_known_devices(work: Work) -> None:
    # Two run, two wait, and then the strangers' part is full; the other part is not.
    assert [await work.begin(f"stranger {n}", is_known=False) for n in range(5)] == [True] * 4 + [False]
    assert [await work.begin(f"known {n}", is_known=True) for n in range(3)] == [True, True, False]
    with pytest.raises(Overloaded) as caught:
        work.queue.require_room(is_known=True)
    assert caught.value.retry_after == 60 and "60 s" not in str(caught.value.user_message)
    begun = await work.turns(6)
    assert set(begun[:2]) == {"stranger 0", "stranger 1"}
    assert begun[2:] == ["known 0", "known 1", "stranger 2", "stranger 3"]
    await work.outcomes()
    work.queue.require_room(is_known=False)


async def test_a_caller_who_leaves_gives_up_the_place_but_not_a_thread_that_still_works(work: Work) -> None:
    assert [await work.begin(f"{n}", is_known=False) for n in range(4)] == [True] * 4
    work.leave(0)
    work.leave(3)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [await work.begin(f"{n}", is_known=False) for n in (4, 5)] == [True, False]
    assert not work.done
    await work.outcomes()

    async def all_made() -> bool:
        # The hash of the caller who left is made, and no answer waits for it.
        return sorted(work.done) == ["0", "1", "2", "4"]

    await until(all_made, "four hashes are made")


async def test_nobody_waits_longer_than_the_deadline() -> None:
    work = Work(HashQueue(waiting=4, reserved=2, seconds=0.01))
    for number in range(4):
        await work.begin(f"{number}", is_known=number > 2)
    late = await asyncio.gather(*work._calls[2:], return_exceptions=True)
    assert [type(error) for error in late] == [Overloaded, Overloaded]
    assert await work.outcomes() == [None, None, *late]
    work.queue.require_room(is_known=False)
    work.queue.close()
