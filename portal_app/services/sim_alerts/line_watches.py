"""Have the worker look at lines that are watched, when something new is known of them."""

from collections.abc import Sequence
from uuid import uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.database.durable import DurableQueue
from portal_app.models.line_alert import watched


class LineWatches:
    """Enqueues the work in the transaction of the reading that causes it."""

    def __init__(self, queue: DurableQueue) -> None:
        self._queue = queue

    async def note(self, session: AsyncSession, service_ids: Sequence[int]) -> None:
        """Have some lines looked at once the transaction commits; nothing for those that nobody watches."""
        found = await watched(session, service_ids)
        if found:
            await self._queue.enqueue(session, "watch_lines", f"watch-lines-{uuid4()}", ",".join(map(str, found)))
