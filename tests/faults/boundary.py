"""The boundary after a workflow step: notify when it is recorded, or hold it just before.

Two triggers of the test's own on DBOS's table of outputs. The one before an insert takes an advisory lock, so that a
test which holds it has the effect made and its record not yet written.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psycopg

from tests.support.waiting import LONGEST_SECONDS, until

_CHANNEL = "test_step_recorded"
_NAMESPACE = 4711
_SQL = f"""
CREATE OR REPLACE FUNCTION public.test_hold_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({_NAMESPACE}, hashtext(NEW.workflow_uuid || '/' || NEW.function_name));
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION public.test_tell_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('{_CHANNEL}', NEW.workflow_uuid || '/' || NEW.function_name || '/' ||
        coalesce((SELECT executor_id FROM dbos.workflow_status WHERE workflow_uuid = NEW.workflow_uuid), ''));
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS test_hold_step ON dbos.operation_outputs;
DROP TRIGGER IF EXISTS test_tell_step ON dbos.operation_outputs;
CREATE TRIGGER test_hold_step BEFORE INSERT ON dbos.operation_outputs
    FOR EACH ROW EXECUTE FUNCTION public.test_hold_step();
CREATE TRIGGER test_tell_step AFTER INSERT ON dbos.operation_outputs
    FOR EACH ROW EXECUTE FUNCTION public.test_tell_step();
"""
_DROP = """
DROP TRIGGER IF EXISTS test_hold_step ON dbos.operation_outputs;
DROP TRIGGER IF EXISTS test_tell_step ON dbos.operation_outputs;
DROP FUNCTION IF EXISTS public.test_hold_step();
DROP FUNCTION IF EXISTS public.test_tell_step();
"""


@dataclass(frozen=True)
class Boundaries:
    """A watch over every step of every workflow."""

    _own: psycopg.AsyncConnection

    async def recorded(self, workflow_id: str, step: str) -> str:
        """Wait until a step is recorded and return the slot of the worker that did it."""
        wanted = f"{workflow_id}/{step}/"
        async for notice in self._own.notifies(timeout=LONGEST_SECONDS):
            if notice.payload.startswith(wanted):
                return notice.payload.removeprefix(wanted)
        raise AssertionError(f"{wanted} was not recorded within {LONGEST_SECONDS:.0f} s")

    async def hold(self, workflow_id: str, step: str) -> None:
        """From now on let this step's effect happen and its record wait."""
        await self._own.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (_NAMESPACE, f"{workflow_id}/{step}"))

    async def wait_for_held(self, count: int) -> None:
        """Wait until so many steps are held."""

        async def stand() -> bool:
            return len(await self._waiting()) >= count

        await until(stand, f"{count} steps held")

    async def let_go(self) -> None:
        """Release all held steps; a step that still waits is cancelled, because its process is dead."""
        for backend in await self._waiting():
            await self._own.execute("SELECT pg_terminate_backend(%s)", (backend,))
        await self._own.execute("SELECT pg_advisory_unlock_all()")

    async def _waiting(self) -> list[int]:
        rows = await self._own.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND NOT granted", (_NAMESPACE,)
        )
        return [row[0] for row in await rows.fetchall()]


@contextlib.asynccontextmanager
async def watched_boundaries(url: str) -> AsyncIterator[Boundaries]:
    """Put the triggers up, take them down at the end. `url` reaches the database as its owner."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(_SQL)
        await connection.execute(f"LISTEN {_CHANNEL}")
        try:
            yield Boundaries(connection)
        finally:
            await connection.execute("SELECT pg_advisory_unlock_all()")
            await connection.execute(_DROP)
