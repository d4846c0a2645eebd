"""Every connection notices a lost host at both ends, so that no lock outlives one for long."""

import ast
from collections.abc import Iterator

import psycopg
import sqlalchemy as sa

from portal_app.infra.database.database import Database
from portal_app.infra.database.keepalive import CLIENT_PARAMETERS, with_keepalive
from portal_app.infra.settings import Settings
from tests.support.sources import python_files, tree_of

_SHORT_LIVED = {"portal_app/infra/database/migrate.py", "portal_app/jobs/rotate_keys.py"}


async def test_the_pools_connections_are_watched_at_the_servers_end(worker: Database) -> None:
    async with worker.unit_of_work() as session:
        connection = await session.connection()
        assert str(await connection.scalar(sa.text("SHOW tcp_keepalives_idle"))) == "10"
        assert str(await connection.scalar(sa.text("SHOW tcp_user_timeout"))) in ("25000", "25s")


def test_an_address_carries_it_for_libraries(settings: Settings) -> None:
    url = with_keepalive(settings.database_url_for("worker"))
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        shown = connection.execute("SHOW tcp_keepalives_interval").fetchone()
        assert shown and str(shown[0]) == "5"
        assert connection.info.get_parameters()["tcp_user_timeout"] == str(CLIENT_PARAMETERS["tcp_user_timeout"])
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as pooled:
        assert str(pooled.scalar(sa.text("SHOW tcp_keepalives_count"))) == "3"


def _connecting() -> Iterator[tuple[str, ast.Call]]:
    for path in python_files("portal_app/infra", "portal_app/jobs", "portal_app/services"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                ("psycopg.connect", "AsyncConnection.connect", "create_engine", "create_async_engine")
            ):
                yield str(path), node


def test_no_long_connection_is_opened_without_it() -> None:
    found = list(_connecting())
    assert len(found) > 3
    assert {path for path, call in found if "CLIENT_PARAMETERS" not in ast.unparse(call)} <= _SHORT_LIVED
