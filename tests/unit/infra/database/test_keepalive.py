"""Every connection notices a lost host at both ends, so that no lock outlives one for long."""

import ast
from collections.abc import Iterator

import sqlalchemy as sa

from portal_app.infra.database.connections import connector
from portal_app.infra.database.database import Database
from portal_app.infra.database.keepalive import CLIENT_PARAMETERS
from portal_app.infra.settings import Settings
from tests.support.sources import python_files, tree_of

_SHORT_LIVED = {
    "portal_app/infra/database/migrate.py",
    "portal_app/jobs/admin/rotate_keys.py",
}
# How a call passes on the parameters of `infra/database/connections.py`.
_WATCHED = ("_parameters(", "parameters)", "creator=connector(", "async_creator=async_connector(")


async def test_the_pools_connections_are_watched_at_the_servers_end(worker: Database) -> None:
    async with worker.unit_of_work() as session:
        connection = await session.connection()
        assert str(await connection.scalar(sa.text("SHOW tcp_keepalives_idle"))) == "10"
        assert str(await connection.scalar(sa.text("SHOW tcp_user_timeout"))) in ("25000", "25s")


def test_connections_are_watched_at_both_ends(settings: Settings) -> None:
    with connector(settings, "worker", name="test")() as connection:
        shown = connection.execute("SHOW tcp_keepalives_interval").fetchone()
        assert shown and str(shown[0]) == "5"
        assert connection.info.get_parameters()["tcp_user_timeout"] == str(CLIENT_PARAMETERS["tcp_user_timeout"])


def _connecting() -> Iterator[tuple[str, ast.Call]]:
    for path in python_files("portal_app/infra", "portal_app/jobs", "portal_app/services"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                ("psycopg.connect", "Connection.connect", "create_engine", "create_async_engine")
            ):
                yield str(path), node


def test_no_long_connection_is_opened_without_it() -> None:
    calls = [ast.unparse(call) for path, call in _connecting() if path not in _SHORT_LIVED]
    assert len(calls) > 3
    assert [call for call in calls if not any(way in call for way in _WATCHED)] == []
