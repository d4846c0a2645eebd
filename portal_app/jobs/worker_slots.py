"""Worker slots: an executor's name is an advisory lock, so a free slot that owns unfinished work has a dead owner."""

import os
import threading

import psycopg
import structlog
from dbos import DBOS

from portal_app.infra.database.connections import open_lock
from portal_app.infra.database.durable import QUEUE
from portal_app.infra.settings import Settings

_NAMESPACE, _SLOTS = 777, 1000
LOCK_LOST = 70
_log = structlog.get_logger(__name__)


class Slot:
    """Hold one slot for the life of this process, and take over the work of owners that died."""

    def __init__(self, settings: Settings) -> None:
        self._connection = open_lock(settings, "portal-slot")
        self._stopped = threading.Event()
        self.number = next(number for number in range(_SLOTS) if self._take(number))

    @property
    def executor(self) -> str:
        """The executor id DBOS knows this process by."""
        return f"slot-{self.number}"

    def watch(self, every_seconds: float) -> None:
        """Look for dead owners from a thread of its own until `release`."""
        threading.Thread(target=self._watch, args=(every_seconds,), daemon=True, name="slot-watch").start()

    def release(self) -> None:
        """Give the slot back."""
        self._stopped.set()
        self._connection.close()

    def _watch(self, every_seconds: float) -> None:
        while not self._stopped.wait(every_seconds):
            try:
                self._adopt_orphans()
            except psycopg.Error:
                if self._stopped.is_set():
                    return
                # Without the lock another process may take our work for orphaned: stop at once, be restarted.
                _log.error("slot.lost", slot=self.executor)
                os._exit(LOCK_LOST)

    def _adopt_orphans(self) -> None:
        self._connection.execute("SELECT 1")
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        owners = {workflow.executor_id for workflow in pending if workflow.executor_id} - {self.executor}
        for owner in owners:
            number = int(owner.rpartition("-")[2])
            if not self._take(number):
                continue
            try:
                orphans = [workflow.workflow_id for workflow in pending if workflow.executor_id == owner]
                DBOS.resume_workflows(orphans, queue_name=QUEUE)
                _log.info("slot.adopted", owner=owner, workflows=len(orphans))
            finally:
                self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", (_NAMESPACE, number))

    def _take(self, number: int) -> bool:
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_NAMESPACE, number)).fetchone()
        return bool(row and row[0])
