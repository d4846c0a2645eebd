"""The embedded PostgreSQL and Valkey: they start, keep their data, and survive a kill."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from portal_app.local.errors import HomeInUse, PortTaken
from portal_app.local.process import is_running, wait_until
from portal_app.local.servers.postgres import EmbeddedPostgres
from portal_app.local.servers.postgres_binaries import SHARED_FOLDER, find_programs, remove_orphaned_data
from portal_app.local.servers.valkey import EmbeddedValkey
from tests.support.waiting import LONGEST_SECONDS

START_AND_WAIT = """
import sys, time
from pathlib import Path
from portal_app.local.servers.{module} import {kind}
server = {kind}(Path(sys.argv[1]))
url = server.start()
print(server._process.pid, url, flush=True)
time.sleep(60)
"""


def remember(url: str, value: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table if not exists note (value text)")
        connection.execute("insert into note values (%s)", (value,))


def recall(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select value from note order by value")]


def start_elsewhere(module: str, kind: str, home: Path) -> tuple[subprocess.Popen[str], int, str]:
    script = START_AND_WAIT.format(module=module, kind=kind)
    parent = subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, url = parent.stdout.readline().split()
    parent.stdout.close()
    return parent, int(pid), url


def test_postgres_keeps_its_rows_over_a_restart(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg") as first:
        remember(first.url(), "kept")
    with EmbeddedPostgres(tmp_path / "pg") as second:
        assert recall(second.url()) == ["kept"]


def test_postgres_is_the_sixteenth_major_with_a_portal_database(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", fast=True) as server, psycopg.connect(server.url()) as connection:
        row = connection.execute(
            "select current_database(), current_user, current_setting('server_version')"
        ).fetchone()
    assert row is not None
    assert row[:2] == ("portal", "portal")
    assert row[2].startswith("16.")


def test_postgres_recovers_after_its_own_kill_minus_nine(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg")
    remember(server.start(), "before the kill")
    assert server._process is not None
    server._process.kill()
    server._process.wait(10)
    assert not server.is_running()
    server.stop()
    with server:
        assert recall(server.url()) == ["before the kill"]


def test_postgres_refuses_a_home_that_another_program_uses(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", fast=True), pytest.raises(HomeInUse, match=str(os.getpid())):
        EmbeddedPostgres(tmp_path / "pg").start()


def test_postgres_left_by_a_killed_parent_gives_way_to_the_next(tmp_path: Path) -> None:
    parent, server_pid, url = start_elsewhere("postgres", "EmbeddedPostgres", tmp_path / "pg")
    remember(url, "orphaned")
    parent.kill()
    parent.wait(10)
    with EmbeddedPostgres(tmp_path / "pg") as successor:
        assert recall(successor.url()) == ["orphaned"]
        assert not is_running(server_pid)


def test_postgres_started_from_a_thread_is_stopped_at_the_next_start(tmp_path: Path) -> None:
    in_thread = START_AND_WAIT.replace("url = server.start()", "import threading\nurl = ''")
    in_thread = in_thread.replace("print(", "t = threading.Thread(target=server.start); t.start(); t.join()\nprint(")
    script = in_thread.format(module="postgres", kind="EmbeddedPostgres").replace(", url", "")
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "pg")], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    server_pid = int(parent.stdout.readline())
    parent.stdout.close()
    parent.kill()
    parent.wait(10)
    assert is_running(server_pid)
    with EmbeddedPostgres(tmp_path / "pg") as successor:
        assert recall_nothing(successor.url())
        assert not is_running(server_pid)


def recall_nothing(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("select to_regclass('note')").fetchone() == (None,)


def test_postgres_ignores_a_pid_file_that_names_a_stranger(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg") as first:
        data = first._data
    data.joinpath("postmaster.pid").write_text(f"{os.getpid()}\n{data}\n0\n1\n\n127.0.0.1\n0 0\nready\n")
    with EmbeddedPostgres(tmp_path / "pg") as second:
        assert second.is_running()


def test_postgres_initialises_again_after_an_interrupted_initdb(tmp_path: Path) -> None:
    half_made = tmp_path / "pg" / "postgres-16" / "data.new"
    half_made.mkdir(parents=True)
    half_made.joinpath("PG_VERSION").write_text("16\n")
    with EmbeddedPostgres(tmp_path / "pg", fast=True) as server:
        assert server.is_running()


def test_sweeping_spares_a_home_that_is_still_there(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg") as first:
        remember(first.url(), "spared")
    remove_orphaned_data()
    with EmbeddedPostgres(tmp_path / "pg") as second:
        assert recall(second.url()) == ["spared"]


def test_two_starters_at_once_share_one_copy_of_unreachable_programs(tmp_path: Path) -> None:
    package = find_programs().parents[1]
    private = tmp_path / "private"
    shutil.copytree(package / "pginstall", private / package.name / "pginstall", symlinks=True)
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, private / libraries.name)
    private.chmod(0o700)
    programs = private / package.name / "pginstall" / "bin"
    os.utime(programs / "postgres")  # a new time makes these programs unlike any that were copied before
    before = set(SHARED_FOLDER.glob("postgres-*"))
    script = START_AND_WAIT.format(module="postgres", kind="EmbeddedPostgres").replace(
        "time.sleep(60)", "server.stop()"
    )
    env = {**os.environ, "PORTAL_PG_BIN": str(programs)}
    starters = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / name)], env=env) for name in ("a", "b")]
    assert [starter.wait(60) for starter in starters] == [0, 0]
    copies = set(SHARED_FOLDER.glob("postgres-*")) - before
    for copy in copies:
        shutil.rmtree(copy)
    assert len(copies) == (1 if os.geteuid() == 0 else 0)


def test_postgres_says_why_when_its_port_is_taken(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "one", fast=True) as first:
        second = EmbeddedPostgres(tmp_path / "two", port=first.port, fast=True)
        with pytest.raises(PortTaken, match=f"port {first.port}"):
            second.start()


def test_valkey_keeps_its_keys_over_a_restart_and_a_kill(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "valkey")
    with redis.Redis.from_url(server.start()) as client:
        client.set("plan", "kept")
    server.stop()
    with redis.Redis.from_url(server.start()) as client:
        assert client.get("plan") == b"kept"
        client.set("plan", "kept again")
        wait_until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0, seconds=2)
    assert server._process is not None
    server._process.kill()
    server._process.wait(10)
    server.stop()
    with server, redis.Redis.from_url(server.url()) as client:
        assert client.get("plan") == b"kept again"


def test_valkey_says_so_when_its_port_is_taken(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "one") as first:
        second = EmbeddedValkey(tmp_path / "two", port=first.port)
        with pytest.raises(PortTaken, match=f"port {first.port}"):
            second.start()


def test_valkey_refuses_clients_without_the_password(tmp_path: Path) -> None:
    with (
        EmbeddedValkey(tmp_path / "valkey") as server,
        redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as stranger,
    ):
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert (server.home / "password").stat().st_mode & 0o077 == 0
        assert (server.home / "valkey.conf").stat().st_mode & 0o077 == 0


def test_valkey_keeps_its_password_over_a_restart(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as first:
        password = first.url().partition("@")[0]
    with EmbeddedValkey(tmp_path / "valkey") as second:
        assert second.url().startswith(password)


def test_valkey_refuses_a_home_that_another_program_uses(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey"), pytest.raises(HomeInUse):
        EmbeddedValkey(tmp_path / "valkey").start()


def test_valkey_left_by_a_killed_parent_gives_way_to_the_next(tmp_path: Path) -> None:
    parent, server_pid, url = start_elsewhere("valkey", "EmbeddedValkey", tmp_path / "valkey")
    with redis.Redis.from_url(url) as client:
        client.set("plan", "orphaned")
    parent.kill()
    parent.wait(10)
    with EmbeddedValkey(tmp_path / "valkey") as successor, redis.Redis.from_url(successor.url()) as client:
        assert client.get("plan") == b"orphaned"
        assert not is_running(server_pid)


def test_a_keyboard_interrupt_for_the_group_spares_the_servers(tmp_path: Path) -> None:
    parent, server_pid, _ = start_elsewhere("postgres", "EmbeddedPostgres", tmp_path / "pg")
    assert os.getpgid(server_pid) != os.getpgid(parent.pid)
    parent.send_signal(signal.SIGTERM)
    parent.wait(10)
    end = time.monotonic() + LONGEST_SECONDS
    while is_running(server_pid) and time.monotonic() < end:
        wait_until(lambda: not is_running(server_pid), seconds=1)
    assert sys.platform != "linux" or not is_running(server_pid)
