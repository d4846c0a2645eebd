"""Closing and reopening accounts, for operators."""

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.models.mfa import PendingSignIn
from portal_app.models.user import IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext

CLOSED = "closed"


class AccountClosing:
    """Closes and reopens accounts. A closed account cannot be signed in to; its services and invoices do not change."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def is_closed(self, customer_number: str) -> bool:
        """Return whether an account is closed. Raises NotFound."""
        async with self._context.database.identity() as session:
            return (await self._found(session, customer_number)).status == CLOSED

    async def close(self, customer_number: str) -> None:
        """Close an account: end its sessions and pending sign-ins. Safe to repeat. Raises NotFound."""
        async with self._context.database.identity() as session:
            user = await self._found(session, customer_number)
            if user.status != CLOSED:
                user.status = CLOSED
                record(session, Tag.ACCOUNT_CLOSED, user_id=user.id, actor="staff")
            pending = sa.delete(PendingSignIn).where(col(PendingSignIn.user_id) == user.id)
            await (await session.connection()).execute(pending)
            ended = await self._context.sessions.end_in_transaction(session, user.id, because="account closed")
        await self._context.sessions.publish_ended(ended)

    async def reopen(self, customer_number: str) -> None:
        """Reopen an account. Safe to repeat. Raises NotFound."""
        async with self._context.database.identity() as session:
            user = await self._found(session, customer_number)
            if user.status == CLOSED:
                is_set_up = await session.get(IdMapping, user.id) is not None
                user.status = "active" if is_set_up else "setting_up"
                record(session, Tag.ACCOUNT_REOPENED, user_id=user.id, actor="staff")

    @staticmethod
    async def _found(session: AsyncSession, customer_number: str) -> User:
        query = select(User.id).where(User.customer_number == customer_number)
        user_id = (await session.exec(query)).first()
        user = await User.locked(session, user_id, for_change=True) if user_id else None
        if user is None:
            raise NotFound("no account with this customer number")
        return user
