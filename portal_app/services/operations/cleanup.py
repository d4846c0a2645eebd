"""Deletes what has expired, and finds the orders whose events may have been lost."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import sqlalchemy as sa
from sqlmodel import SQLModel, col

from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.settings import Settings
from portal_app.models.order import OrderRow
from portal_app.services.operations.retention import expired_rows

# One transaction's worth, so that cleanup holds no locks for long, and what one run deletes of a table at most.
ROWS_AT_ONCE = 2000
_MOST_BATCHES = 50
# The table is closed to deletion; this function of the database's owner deletes rows without an account alone.
_FORGET_STRANGERS = sa.text("SELECT forget_strangers(:before, :most)").bindparams(
    sa.bindparam("before", type_=sa.DateTime(timezone=True))
)
# Compared with Salesforce in one run: a few queries of the org's daily budget.
ORDERS_AT_ONCE = 600


class Cleanup:
    """Keeps the tables small and the orders moving."""

    def __init__(self, settings: Settings, database: Database, queue: DurableQueue) -> None:
        self._settings = settings
        self._database = database
        self._queue = queue

    async def delete_expired(self) -> None:
        """Delete what is older than it is kept: a bounded number of rows of each table, the rest at the next run."""
        for table, condition in expired_rows(self._settings):
            await _repeat(partial(self._delete, table, condition))
        await _repeat(self._forget_strangers)
        ended_before = now() - timedelta(days=self._settings.portal_keep_workflow_days)
        await _repeat(lambda: self._queue.delete_ended(before=ended_before, most=ROWS_AT_ONCE))

    async def _delete(self, table: type[SQLModel], condition: sa.ColumnElement[bool]) -> int:
        keys = [sa.inspect(table).columns[column.name] for column in sa.inspect(table).primary_key]
        rows = sa.select(*keys).where(condition).limit(ROWS_AT_ONCE)
        async with self._database.unit_of_work() as session:
            result = await (await session.connection()).execute(sa.delete(table).where(sa.tuple_(*keys).in_(rows)))
        return int(result.rowcount)

    async def _forget_strangers(self) -> int:
        """Delete the audit of strangers. The history of an account is kept with it: no role may delete that."""
        values = {"before": now() - timedelta(days=self._settings.portal_keep_stranger_days), "most": ROWS_AT_ONCE}
        async with self._database.unit_of_work() as session:
            return int((await (await session.connection()).execute(_FORGET_STRANGERS, values)).scalar_one())

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


async def _repeat(delete: Callable[[], Awaitable[int]]) -> None:
    for _ in range(_MOST_BATCHES):
        if await delete() < ROWS_AT_ONCE:
            return
