"""PostgreSQL: one engine per role, and transactions. The only place that commits."""

import asyncio
import math
import select
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction, UndefinedTable
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.clock import counter_seconds
from portal_app.infra.database.connections import NoAnswer, async_connector
from portal_app.infra.database.schema import READ_REVISION, Schema, schema_at
from portal_app.infra.settings import DatabaseRole, Settings

_OPTIONS = "-c lock_timeout=3000 -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
# The server ends a slow statement before our own deadline gives the connection up.
_STATEMENT_SHARE = 5 / 6
_LONGEST_REASON = 300
_IS_READ_ONLY = sa.text("SELECT current_setting('transaction_read_only')::bool")
_SET_CUSTOMER = sa.text("SELECT set_config('portal.user_id', :user_id, true)")
_SET_CUSTOMER_PLAIN = "SELECT set_config('portal.user_id', %s, true)"
_CLOCK = sa.text("SELECT extract(epoch FROM clock_timestamp())")


class DatabaseUnavailable(ExternalUnavailable):
    """PostgreSQL is unavailable or read-only, or no connection is free."""

    vendor = "postgresql"
    user_message = "We cannot reach our own records at the moment. Try again in a few minutes."


class Database:
    """Open transactions under the database role of this process.

    With `role` *web* a transaction sees only the rows of the customer named for it (row-level security), with *worker*
    all rows. Users, credentials and sessions are read under the role *identity* in every process.
    """

    def __init__(self, settings: Settings, role: Literal["web", "worker"]) -> None:
        silence = _Silence()
        self._main = _engine(settings, role, silence)
        self._identity = _engine(settings, "identity", silence)

    @asynccontextmanager
    async def unit_of_work(
        self, *, customer: UUID | None = None, is_snapshot: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """Open one transaction; leaving it commits, an exception rolls back.

        Raises DatabaseUnavailable. Under *web* a customer's rows are visible only if `customer` names them. With
        `is_snapshot` all queries see the same state (REPEATABLE READ): for reads only.
        """
        async with _transaction(self._main) as session:
            if is_snapshot:
                await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            if customer is not None:
                connection = await session.connection()
                await connection.execute(_SET_CUSTOMER, {"user_id": str(customer)})
            yield session

    async def fetch_row_for(self, customer: UUID, question: str, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the single row of a query about a customer, run in its own transaction. Raises DatabaseUnavailable.

        For queries of every request, because an ORM session costs more than such a query. Placeholders are psycopg's:
        %(name)s.
        """
        async with _translated_errors(), self._main.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                async with driver.transaction():
                    await driver.execute(_SET_CUSTOMER_PLAIN, (str(customer),))
                    row: tuple[Any, ...] = await (await driver.execute(question, values)).fetchone()
            except psycopg.Error as error:
                await connection.invalidate(error)
                raise
            return row

    async def run_for(self, customer: UUID, statement: str, values: Mapping[str, Any]) -> int:
        """Run one statement for a customer in its own transaction; return how many rows it wrote. It is committed then.

        For statements with much data: all goes to the server at once. Raises DatabaseUnavailable.
        """
        async with _translated_errors(), self._main.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                async with driver.pipeline(), driver.transaction():
                    await driver.execute(_SET_CUSTOMER_PLAIN, (str(customer),))
                    cursor = await driver.execute(statement, values)
            except (psycopg.Error, asyncio.CancelledError) as error:
                await connection.invalidate(error)
                raise
            return int(cursor.rowcount)

    @asynccontextmanager
    async def identity(self) -> AsyncIterator[AsyncSession]:
        """Open one transaction under the role for users, credentials, sessions and tokens."""
        async with _transaction(self._identity) as session:
            yield session

    async def clock(self) -> tuple[float, float]:
        """Return PostgreSQL's time (unix seconds) and the host's monotonic time at which it was read."""
        async with _transaction(self._main) as session:
            connection = await session.connection()
            before = counter_seconds()
            shown = (await connection.execute(_CLOCK)).scalar_one()
            return float(shown), (before + counter_seconds()) / 2

    async def ping(self) -> None:
        """Check the connections of both roles. Raises DatabaseUnavailable, also for a read-only server."""
        for engine in (self._main, self._identity):
            async with _transaction(engine) as session:
                if await (await session.connection()).scalar(_IS_READ_ONLY):
                    raise DatabaseUnavailable("read-only")

    async def schema(self) -> Schema:
        """Return how the database's revision fits this code. Raises DatabaseUnavailable."""
        try:
            async with _transaction(self._main) as session:
                found = await (await session.connection()).scalar(sa.text(READ_REVISION))
        except ProgrammingError as error:
            if not isinstance(error.orig, UndefinedTable | InsufficientPrivilege):
                raise
            found = None
        return schema_at(found)

    async def close(self) -> None:
        """Close all connections."""
        await self._main.dispose()
        await self._identity.dispose()


class _Silence:
    """When a connection last went silent: those that were open then are not to be trusted, in either pool."""

    def __init__(self) -> None:
        self._at = -math.inf

    def watch(self, engine: sa.Engine) -> None:
        """Replace connections of this engine's pool that are closed, or were open when another went silent."""
        sa.event.listen(engine, "connect", self._opened)
        sa.event.listen(engine, "invalidate", self._given_up)
        sa.event.listen(engine, "checkout", self._reject)

    def _opened(self, _: Any, record: Any) -> None:
        record.info["opened_at"] = time.monotonic()

    def _given_up(self, _: Any, __: Any, error: BaseException | None) -> None:
        if isinstance(error, NoAnswer):
            self._at = time.monotonic()

    def _reject(self, connection: Any, record: Any, _: object) -> None:
        """Make the pool replace such a connection. Cheaper than a query before each use."""
        readable = select.poll()
        readable.register(connection.driver_connection.fileno(), select.POLLIN)
        # An idle connection has nothing to read except its end. An unexpected message also only costs a new connection.
        if readable.poll(0):
            raise DisconnectionError("the server closed the connection")
        if record.info["opened_at"] <= self._at:
            raise DisconnectionError("another connection went silent")


def _engine(settings: Settings, role: DatabaseRole, silence: _Silence) -> AsyncEngine:
    statement_ms = int(settings.database_answer_seconds * _STATEMENT_SHARE * 1000)
    options = f"{_OPTIONS} -c statement_timeout={statement_ms}"
    engine = create_async_engine(
        settings.database_url_for(role),
        pool_size=10,
        # A worker runs many workflows concurrently and can wait longer. Web requests wait for a free connection during
        # a load peak instead of failing; a hanging server is detected by the timeouts in _OPTIONS.
        max_overflow=10 if role == "worker" else 0,
        pool_timeout=15 if role == "worker" else settings.database_wait,
        pool_recycle=1800,
        # The text of an error is logged, so it must not contain parameters, which are customers' data.
        hide_parameters=True,
        async_creator=async_connector(settings, role, name=f"portal-{role}", options=options),
    )
    silence.watch(engine.sync_engine)
    return engine


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    session = AsyncSession(engine, expire_on_commit=False)
    try:
        async with _translated_errors():
            yield session
            await session.commit()
    finally:
        await session.close()


@asynccontextmanager
async def _translated_errors() -> AsyncIterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise DatabaseUnavailable(reason_of(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error.orig, ReadOnlySqlTransaction):
            raise DatabaseUnavailable(reason_of(error)) from error
        raise


def reason_of(error: Exception) -> str:
    """Return the kind of an error and PostgreSQL's own words for it, which hold no values of a query."""
    said = str(error.orig if isinstance(error, DBAPIError) and error.orig is not None else error)
    # Of a refused connection, libpq writes one line for each address that it tried; what the server says comes last.
    lines = [line.strip() for line in said.splitlines() if line.strip()] or [""]
    words = next((line for line in reversed(lines) if "FATAL:" in line), lines[0])
    return f"{type(error).__name__}: {words}"[:_LONGEST_REASON]
