"""Opens every lasting connection to PostgreSQL: it notices a lost host, and gives a server up that does not answer.

Keepalives find a host that is gone. Something between that holds the connection and forwards nothing answers them: only
a deadline of our own for every answer finds that.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from psycopg import generators
from psycopg.abc import RV, PQGen
from psycopg.errors import _WaitTimeout

from portal_app.infra.database.keepalive import CLIENT_PARAMETERS, SERVER_OPTIONS
from portal_app.infra.settings import DatabaseRole, Settings

_INTERVAL = 0.1
_CONNECT_SECONDS = 3


class NoAnswer(psycopg.OperationalError):
    """The server did not answer within the deadline. The connection is closed."""


class _Connection(psycopg.Connection[Any]):
    answer_seconds: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        """Wait for an answer; raises NoAnswer after the deadline. Without one for `notifies`, which checks instead."""
        if timeout is not None or self.answer_seconds is None:
            return super().wait(gen, interval, timeout)
        is_listening = getattr(gen, "__name__", "") == "notifies"
        while True:
            try:
                return super().wait(gen, interval, self.answer_seconds)
            except _WaitTimeout as error:
                if not is_listening:
                    self.pgconn.finish()
                    raise NoAnswer("no answer within the deadline") from error
            # Nothing to notify is no silence: ask. What arrives with the answer is lost, but DBOS polls, too.
            self.pgconn.send_query(b"SELECT 1")
            self.wait(generators.execute(self.pgconn), interval)
            gen = generators.notifies(self.pgconn)  # type: ignore[assignment]


class _AsyncConnection(psycopg.AsyncConnection[Any]):
    answer_seconds: float | None = None

    async def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        """Wait for an answer; raises NoAnswer after the deadline."""
        if timeout is not None or self.answer_seconds is None:
            return await super().wait(gen, interval, timeout)
        try:
            return await super().wait(gen, interval, self.answer_seconds)
        except _WaitTimeout as error:
            self.pgconn.finish()
            raise NoAnswer("no answer within the deadline") from error


def connector(
    settings: Settings, role: DatabaseRole, *, name: str, options: str = ""
) -> Callable[[], psycopg.Connection[Any]]:
    """Return what opens a connection with a deadline for each answer."""

    def connect() -> psycopg.Connection[Any]:
        connection = _Connection.connect(**_parameters(settings, role, name, options))
        connection.answer_seconds = settings.database_answer_seconds
        return connection

    return connect


def async_connector(
    settings: Settings, role: DatabaseRole, *, name: str, options: str = ""
) -> Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]:
    """Return what opens a connection with a deadline for each answer, for asyncio."""

    async def connect() -> psycopg.AsyncConnection[Any]:
        connection = await _AsyncConnection.connect(**_parameters(settings, role, name, options))
        connection.answer_seconds = settings.database_answer_seconds
        return connection

    return connect


def open_lock(settings: Settings, name: str) -> psycopg.Connection[Any]:
    """Open the connection that holds an advisory lock and is used every few seconds. It commits by itself."""
    connection = _Connection.connect(autocommit=True, **_parameters(settings, "worker", name, _lock_options(settings)))
    connection.answer_seconds = _lock_seconds(settings)
    return connection


async def open_lock_async(settings: Settings, name: str) -> psycopg.AsyncConnection[Any]:
    """Open the connection that holds an advisory lock and is used every few seconds, for asyncio."""
    parameters = _parameters(settings, "worker", name, _lock_options(settings))
    connection = await _AsyncConnection.connect(autocommit=True, **parameters)
    connection.answer_seconds = _lock_seconds(settings)
    return connection


def _lock_seconds(settings: Settings) -> float:
    """Return the holder's deadline. It ends before the server gives the lock away: never do two hold it."""
    return settings.database_answer_seconds / 2


def _lock_options(settings: Settings) -> str:
    # A server that hears nothing from the holder frees the lock, although the connection still looks alive. A worker's
    # slot is checked by a thread that may first have to wait for the answer of another connection.
    return f"-c statement_timeout=0 -c idle_session_timeout={int(settings.database_answer_seconds * 2000)}"


def _parameters(settings: Settings, role: DatabaseRole, name: str, options: str) -> dict[str, Any]:
    return {
        "conninfo": settings.database_url_for(role).replace("postgresql+psycopg://", "postgresql://"),
        "application_name": name,
        "connect_timeout": _CONNECT_SECONDS,
        "options": f"{SERVER_OPTIONS} {options}",
        **CLIENT_PARAMETERS,
    }
