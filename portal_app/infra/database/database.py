"""PostgreSQL: engines per role, and the one place that commits."""

import select
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.errors import ReadOnlySqlTransaction
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.clock import counter_seconds
from portal_app.infra.database.keepalive import CLIENT_PARAMETERS, SERVER_OPTIONS
from portal_app.infra.settings import DatabaseRole, Settings

_OPTIONS = (
    "-c statement_timeout=15000 -c lock_timeout=3000 -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
)
_IS_READ_ONLY = sa.text("SELECT current_setting('transaction_read_only')::bool")
_SET_CUSTOMER = sa.text("SELECT set_config('portal.user_id', :user_id, true)")
_SET_CUSTOMER_PLAIN = "SELECT set_config('portal.user_id', %s, true)"
_CLOCK = sa.text("SELECT extract(epoch FROM clock_timestamp())")


class DatabaseUnavailable(ExternalUnavailable):
    """PostgreSQL is away, read-only or has no connection left."""

    vendor = "postgresql"
    user_message = "We cannot reach our own records at the moment. Try again in a few minutes."


class Database:
    """Hand out transactions under the right role.

    `role` is what this process may do: *web* sees only the rows of the customer named for the transaction,
    *worker* sees all. Look-ups of users, credentials and sessions always run as *identity*.
    """

    def __init__(self, settings: Settings, role: Literal["web", "worker"]) -> None:
        self._main = _engine(settings, role)
        self._identity = _engine(settings, "identity")

    @asynccontextmanager
    async def unit_of_work(
        self, *, customer: UUID | None = None, is_snapshot: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """Open one transaction; leaving it commits, an exception rolls back.

        Raises DatabaseUnavailable. Under *web* no row of a customer is visible unless `customer` names them. In a
        snapshot all questions see the same moment: for reading only.
        """
        async with _transaction(self._main) as session:
            if is_snapshot:
                await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            if customer is not None:
                connection = await session.connection()
                await connection.execute(_SET_CUSTOMER, {"user_id": str(customer)})
            yield session

    async def fetch_row_for(self, customer: UUID, question: str, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the one row that answers a question about a customer, asked in a transaction of its own.

        For what every visit asks: the ORM's session costs more than such a question. It is written as psycopg takes
        it, with %(name)s. Raises DatabaseUnavailable.
        """
        async with _telling_outages(), self._main.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                async with driver.transaction():
                    await driver.execute(_SET_CUSTOMER_PLAIN, (str(customer),))
                    row: tuple[Any, ...] = await (await driver.execute(question, values)).fetchone()
            except psycopg.Error:
                await connection.invalidate()
                raise
            return row

    @asynccontextmanager
    async def identity(self) -> AsyncIterator[AsyncSession]:
        """Open one transaction under the role that reaches users, credentials, sessions and tokens."""
        async with _transaction(self._identity) as session:
            yield session

    async def clock(self) -> tuple[float, float]:
        """Return what PostgreSQL's clock shows (unix seconds), and at which point of our counter it did."""
        async with _transaction(self._main) as session:
            connection = await session.connection()
            before = counter_seconds()
            shown = (await connection.execute(_CLOCK)).scalar_one()
            return float(shown), (before + counter_seconds()) / 2

    async def ping(self) -> None:
        """Ask both roles for a sign of life. Raises DatabaseUnavailable, also where nothing can be written."""
        for engine in (self._main, self._identity):
            async with _transaction(engine) as session:
                if await (await session.connection()).scalar(_IS_READ_ONLY):
                    raise DatabaseUnavailable("read-only")

    async def close(self) -> None:
        """Give all connections back."""
        await self._main.dispose()
        await self._identity.dispose()


def _engine(settings: Settings, role: DatabaseRole) -> AsyncEngine:
    engine = create_async_engine(
        settings.database_url_for(role),
        pool_size=10,
        # A worker runs many workflows side by side and may wait. Customers who all come at once wait for their turn,
        # which is better than being sent away; a server that hangs is told by its own limits.
        max_overflow=10 if role == "worker" else 0,
        pool_timeout=15 if role == "worker" else settings.database_wait,
        pool_recycle=1800,
        # An error's text ends up in logs: without the values, which are customers'.
        hide_parameters=True,
        connect_args={
            "connect_timeout": 3,
            "application_name": f"portal-{role}",
            "options": f"{_OPTIONS} {SERVER_OPTIONS}",
            **CLIENT_PARAMETERS,
        },
    )
    sa.event.listen(engine.sync_engine, "checkout", _refuse_the_dead)
    return engine


def _refuse_the_dead(connection: Any, *_: object) -> None:
    """Have the pool connect anew where a server has hung up; asking it each time would cost as much as the question."""
    waiting = select.poll()
    waiting.register(connection.driver_connection.fileno(), select.POLLIN)
    # Nothing was asked, so there is nothing to read but the end. A word of a living server costs a connection.
    if waiting.poll(0):
        raise DisconnectionError("the server hung up")


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    session = AsyncSession(engine, expire_on_commit=False)
    try:
        async with _telling_outages():
            yield session
            await session.commit()
    finally:
        await session.close()


@asynccontextmanager
async def _telling_outages() -> AsyncIterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise DatabaseUnavailable(type(error).__name__) from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error.orig, ReadOnlySqlTransaction):
            raise DatabaseUnavailable(type(error).__name__) from error
        raise
