"""The order of a case's messages: which workflow sends one, and that the next is woken when one has ended."""

from uuid import UUID, uuid4

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.database.durable import DurableQueue, WakeTopic
from portal_app.models.support import MessageRow


def workflow_of(message: MessageRow) -> str:
    """Return the id of the workflow that sends a message; each further attempt has one of its own."""
    return f"support-message-{message.id}" + (f"-{message.attempt}" if message.attempt else "")


async def wake(session: AsyncSession, queue: DurableQueue, message: MessageRow) -> None:
    """Let the workflow of a queued message look at it when this transaction commits."""
    await queue.send(session, workflow_of(message), "changed", topic=WakeTopic.MESSAGE, key=uuid4().hex)


async def wake_next(session: AsyncSession, queue: DurableQueue, case_id: UUID) -> None:
    """Let the first message of a case that waits look whether its turn has come."""
    await session.flush()
    query = select(MessageRow).where(MessageRow.case_id == case_id, MessageRow.state == "queued")
    message = (await session.exec(query.order_by(col(MessageRow.seq)).limit(1))).first()
    if message is not None:
        await wake(session, queue, message)
