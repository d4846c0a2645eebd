"""Shielded tasks: callers of one key share a task, and a cancelled caller does not end it."""

import asyncio

import pytest

from portal_app.infra.tasks.shielded import ShieldedTasks


class Work:
    """Work that waits until it is released and counts its starts."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.error = 0, error
        self.go_on = asyncio.Event()

    async def run(self) -> int:
        self.begun += 1
        number = self.begun
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return number


async def test_callers_of_one_key_share_a_task_and_later_ones_get_a_new_one() -> None:
    tasks, work = ShieldedTasks(), Work()
    callers = [asyncio.create_task(tasks.run(work.run, key="a")) for _ in range(3)]
    other = asyncio.create_task(tasks.run(work.run, key="b"))
    await asyncio.sleep(0)
    assert tasks.is_running("a") and not tasks.is_running("c")
    work.go_on.set()
    assert await asyncio.gather(*callers, other) == [1, 1, 1, 2]
    assert not tasks.is_running("a")
    assert await tasks.run(work.run, key="a") == 3


async def test_after_a_release_of_keys_running_tasks_go_on_and_nobody_joins_them() -> None:
    tasks, work = ShieldedTasks(), Work()
    first = asyncio.create_task(tasks.run(work.run, key="a"))
    await asyncio.sleep(0)
    tasks.release_keys()
    second = asyncio.create_task(tasks.run(work.run, key="a"))
    await asyncio.sleep(0)
    work.go_on.set()
    assert [await first, await second] == [1, 2]


async def test_a_cancelled_caller_ends_no_task_and_an_error_reaches_the_waiting_callers() -> None:
    tasks, work = ShieldedTasks(), Work(error=ValueError("no"))
    leaves, stays = (asyncio.create_task(tasks.run(work.run, key="a")) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.sleep(0)
    assert tasks.is_running("a")
    work.go_on.set()
    with pytest.raises(ValueError, match="no"):
        await stays
    assert work.begun == 1


async def test_closing_cancels_what_is_still_running() -> None:
    tasks, work = ShieldedTasks(), Work()
    waiting = asyncio.create_task(tasks.run(work.run))
    await asyncio.sleep(0)
    await tasks.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
