"""A real PostgreSQL for one machine: our own small supervisor over the programs of a wheel."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO

import psycopg

from portal_app.local.errors import LocalError
from portal_app.local.lock import FileLock
from portal_app.local.ports import free_port
from portal_app.local.process import command_line, is_running, spawn, stop, stop_stranger, wait_until
from portal_app.local.servers.postgres_binaries import account_for, major_version, reachable_folder, runnable_programs

USER = "portal"
DATABASE = "portal"
# "fast" shutdown first, then "immediate": the latter recovers from the log at the next start.
PARTING = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0))
OPTIONS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200", "timezone": "UTC"}
FAST_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
PASSING_TROUBLE = ("shared memory block", "lock file")


class EmbeddedPostgres:
    """Run PostgreSQL in `home` on a loopback port, with trust for local connections: never for production.

    `port` 0 takes a free one, `fast` gives up crash safety for tests. One program at a time may use a home;
    what a killed one left running there is stopped first. As root the server runs as `postgres` or `nobody`.
    """

    def __init__(self, home: Path, *, port: int = 0, fast: bool = False) -> None:
        self.home = Path(home).resolve()
        self.port = port
        self.fast = fast
        self._lock = FileLock(self.home / "lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._data = self.home / "data"

    def start(self) -> str:
        """Start the server, create the database if missing, return its URL. Raises HomeInUse or LocalError."""
        self._lock.acquire()
        try:
            room = self.home / f"postgres-{major_version()}"
            self._account = account_for(room)
            self._programs = runnable_programs(self._account)
            self._data = reachable_folder(room, self._account) / "data"
            self._clear_leftovers()
            self._create_cluster()
            self._start_server()
            self._create_database()
        except BaseException:
            self.stop()
            raise
        return self.url()

    def stop(self) -> None:
        """Shut down in good order; a second call does nothing."""
        if self._process is not None:
            stop(self._process, signals=PARTING)
            self._process = None
        self._lock.release()

    def is_running(self) -> bool:
        """Tell whether the server process is alive."""
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = DATABASE) -> str:
        """Return the address of one database on this server."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _clear_leftovers(self) -> None:
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        words = command_line(pid)
        if words and Path(words[0]).name == "postgres" and str(self._data) in words:
            stop_stranger(pid, signals=PARTING)
        if not is_running(pid) or str(self._data) not in command_line(pid):
            # A zombie or a stranger with a re-used number would make the server refuse to start.
            pid_file.unlink(missing_ok=True)

    def _create_cluster(self) -> None:
        if self._data.exists():
            return
        draft = self._data.with_name("data.new")  # renamed when complete: a killed initdb leaves no half cluster
        shutil.rmtree(draft, ignore_errors=True)
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        flags = ["-U", USER, "-A", "trust", "-E", "UTF8", f"--locale={locale}", "--no-sync"]
        with self._open_log() as log:
            made = spawn(
                [str(self._programs / "initdb"), "-D", str(draft), *flags],
                output=log,
                env=self._environment(),
                account=self._account,
            ).wait()
        if made != 0:
            raise LocalError(f"PostgreSQL could not create its data folder:\n{self._last_words()}")
        draft.rename(self._data)

    def _start_server(self) -> None:
        wished = self.port
        for attempt in range(5):
            self.port = wished or free_port()
            if self._try_to_start():
                return
            words = self._last_words()
            lost_a_race = not wished and "could not bind" in words
            if attempt == 4 or not (lost_a_race or any(trouble in words for trouble in PASSING_TROUBLE)):
                raise LocalError(f"PostgreSQL did not start on port {self.port}:\n{words}")
            wait_until(lambda: False, seconds=0.5)  # children of a killed server need a moment to leave

    def _try_to_start(self) -> bool:
        options = {"port": str(self.port), **OPTIONS, **(FAST_OPTIONS if self.fast else {})}
        argv = [str(self._programs / "postgres"), "-D", str(self._data)]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        with self._open_log() as log:
            self._process = spawn(
                argv,
                output=log,
                env=self._environment(),
                account=self._account,
                parting_signal=signal.SIGINT,
            )
        wait_until(lambda: self._is_ready() or not self.is_running(), seconds=60)
        if self.is_running() and self._is_ready():
            return True
        stop(self._process, signals=PARTING)
        return False

    def _is_ready(self) -> bool:
        """Read the server's own status file; one that an earlier server left behind names another process."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return self._process is not None and int(lines[0]) == self._process.pid and lines[7].strip() == "ready"
        except (OSError, IndexError, ValueError):
            return False

    def _create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone()
            if known is None:
                connection.execute(f'create database "{DATABASE}"')

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "LC_ALL": "C"}

    def _open_log(self) -> IO[bytes]:
        log = (self.home / "postgres.log").open("ab")
        self._log_start = log.tell()
        return log

    def _last_words(self) -> str:
        return (self.home / "postgres.log").read_bytes()[self._log_start :].decode(errors="replace")[-1500:]
