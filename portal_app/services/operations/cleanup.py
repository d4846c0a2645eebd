"""Deletes what has expired, and finds the orders whose events may have been lost."""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.models.account_recovery import RecoveryToken
from portal_app.models.idempotency import IdempotencyKey
from portal_app.models.lockout import SignInAttempts
from portal_app.models.mfa import Challenge, PendingSignIn
from portal_app.models.notification_preference import Reminder
from portal_app.models.order import DraftRow, OrderRow
from portal_app.models.session import RefreshToken
from portal_app.models.user import SignUp
from portal_app.services.idempotency import KEPT

# Compared with Salesforce in one run: a few queries of the org's daily budget.
ORDERS_AT_ONCE = 600


class Cleanup:
    """Keeps the tables small and the orders moving."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete_expired(self) -> None:
        """Delete dead sign-ups, sign-ins and links, old tries and tokens, keys of yesterday, drafts of last month."""
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            for statement in (
                sa.delete(SignUp).where(col(SignUp.expires_at) < now() - timedelta(days=1)),
                sa.delete(RecoveryToken).where(col(RecoveryToken.expires_at) < now() - timedelta(days=1)),
                sa.delete(SignInAttempts).where(col(SignInAttempts.tried_at) < now() - timedelta(days=1)),
                sa.delete(Challenge).where(col(Challenge.expires_at) < now()),
                sa.delete(PendingSignIn).where(col(PendingSignIn.expires_at) < now()),
                sa.delete(RefreshToken).where(col(RefreshToken.used_at) < now() - timedelta(days=30)),
                sa.delete(IdempotencyKey).where(col(IdempotencyKey.created_at) < now() - KEPT),
                sa.delete(Reminder).where(col(Reminder.at) < now() - timedelta(days=400)),
                sa.delete(DraftRow).where(col(DraftRow.updated_at) < now() - timedelta(days=30)),
            ):
                await connection.execute(statement)

    async def unfinished_orders(self, turn: int) -> list[str]:
        """Return the Salesforce ids of a batch of orders that are not final and unchanged for two minutes.

        The oldest come first. Where there are more than a batch holds, each turn returns the next batch, round and
        round, so that an order which never moves does not keep the others from their turn.
        """
        conditions = (
            col(OrderRow.stage).in_(("in_review", "needs_attention", "being_set_up")),
            col(OrderRow.sf_order_id).is_not(None),
            col(OrderRow.updated_at) < now() - timedelta(minutes=2),
        )
        query = sa.select(col(OrderRow.sf_order_id)).where(*conditions)
        query = query.order_by(col(OrderRow.updated_at), col(OrderRow.id)).limit(ORDERS_AT_ONCE)
        async with self._database.unit_of_work() as session:
            connection = await session.connection()
            count = await connection.scalar(sa.select(sa.func.count()).select_from(OrderRow).where(*conditions)) or 0
            batch = turn % max(1, -(-count // ORDERS_AT_ONCE))
            return [str(row[0]) for row in await connection.execute(query.offset(batch * ORDERS_AT_ONCE))]
