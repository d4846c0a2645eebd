"""Leader election: of several processes one holds an advisory lock and works, the others wait to take over."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import structlog

from portal_app.infra.database.connections import open_lock_async
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.cancellation import raise_if_cancelled

_NAMESPACE = 778
ROLES = {"timetable": 1, "listener": 2}
_log = structlog.get_logger(__name__)


async def lead(
    settings: Settings, role: str, work: Callable[[], Awaitable[None]], *, retry_seconds: float = 1.0
) -> None:
    """Run `work` while this process is the leader for a role, for ever; it is cancelled when the lock is lost."""
    while True:
        raise_if_cancelled()
        try:
            async with await open_lock_async(settings, f"portal-leader-{role}") as connection:
                await _until_elected(connection, role, retry_seconds)
                _log.info("leader.elected", role=role)
                await _work_while_held(connection, work)
        except psycopg.Error as error:
            _log.warning("leader.lock_lost", role=role, error=type(error).__name__)
        await asyncio.sleep(retry_seconds)


async def until_stopped(stop: asyncio.Event, leading: asyncio.Task[None]) -> None:
    """Wait for the signal to stop; a leader's work that ends with a defect ends the process, to be restarted."""
    waiting = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({waiting, leading}, return_when=asyncio.FIRST_COMPLETED)
        if leading.done():
            leading.result()
    finally:
        waiting.cancel()


async def _until_elected(connection: psycopg.AsyncConnection, role: str, retry_seconds: float) -> None:
    while True:
        raise_if_cancelled()
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_NAMESPACE, ROLES[role]))
        row = await cursor.fetchone()
        if row and row[0]:
            return
        await asyncio.sleep(retry_seconds)


async def _work_while_held(connection: psycopg.AsyncConnection, work: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.ensure_future(work())
    try:
        while not task.done():
            await connection.execute("SELECT 1")
            raise_if_cancelled()
            await asyncio.wait({task}, timeout=1)
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
