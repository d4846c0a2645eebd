"""Background work: one piece per key, and none after the end."""

import asyncio

from portal_app.infra.tasks.background import BackgroundTasks


async def test_work_of_one_key_runs_once_and_none_begins_after_the_end() -> None:
    done: list[str] = []
    ran = asyncio.Event()

    async def work() -> None:
        done.append("work")
        ran.set()

    background = BackgroundTasks(1)
    background.start("key", work)
    background.start("key", work)
    await ran.wait()
    await background.close()
    before = asyncio.all_tasks()
    background.start("late", work)
    assert asyncio.all_tasks() == before
    assert done == ["work"]
