"""Runs PostgreSQL for demo and tests, from the programs of a wheel."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO

import psycopg

from portal_app.local.errors import LocalError, start_error
from portal_app.local.lock import FileLock
from portal_app.local.ports import free_port
from portal_app.local.process import command_line, is_running, spawn, stop, stop_by_pid, wait_until
from portal_app.local.servers.postgres_binaries import account_for, major_version, reachable_folder, runnable_programs

USER = "portal"
DATABASE = "portal"
# SIGINT is a fast shutdown, SIGQUIT an immediate one, after which the next start recovers from the log.
PARTING = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0))
OPTIONS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200", "timezone": "UTC"}
FAST_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
TEMPORARY_ERRORS = ("shared memory block", "lock file")


class EmbeddedPostgres:
    """PostgreSQL in `home` on a loopback port, without passwords for local connections: not for production.

    `port` 0 selects a free port; `fast` disables crash safety, for tests. One process at a time can use a home; a
    server left running there is stopped first. Started by root, the server runs as `postgres` or `nobody`.
    """

    def __init__(self, home: Path, *, port: int = 0, fast: bool = False) -> None:
        self.home = Path(home).resolve()
        self.port = port
        self.fast = fast
        self._lock = FileLock(self.home / "lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._data = self.home / "data"

    def start(self) -> str:
        """Start the server, create the database if missing, and return its URL. Raises HomeInUse or LocalError."""
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
        """Shut down cleanly; a second call does nothing."""
        if self._process is not None:
            stop(self._process, signals=PARTING)
            self._process = None
        self._lock.release()

    def is_running(self) -> bool:
        """Return whether the server process is running."""
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
        arguments = command_line(pid)
        if arguments and Path(arguments[0]).name == "postgres" and str(self._data) in arguments:
            stop_by_pid(pid, signals=PARTING)
        if not is_running(pid) or str(self._data) not in command_line(pid):
            # With the pid of a zombie or of an unrelated process in this file, the server would not start.
            pid_file.unlink(missing_ok=True)

    def _create_cluster(self) -> None:
        if self._data.exists():
            return
        draft = self._data.with_name("data.new")  # renamed when complete, so that a killed initdb leaves nothing
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
            raise LocalError(f"PostgreSQL could not create its data folder:\n{self._last_output()}")
        draft.rename(self._data)

    def _start_server(self) -> None:
        wanted = self.port
        for attempt in range(5):
            self.port = wanted or free_port()
            if self._try_to_start():
                return
            output = self._last_output()
            is_port_taken = not wanted and "could not bind" in output
            if attempt == 4 or not (is_port_taken or any(error in output for error in TEMPORARY_ERRORS)):
                raise start_error(f"PostgreSQL did not start on port {self.port}", output)
            wait_until(lambda: False, seconds=0.5)  # children of a killed server need time to end

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
        """Return whether the status file says ready; a file left by an earlier server has another pid."""
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

    def _last_output(self) -> str:
        return (self.home / "postgres.log").read_bytes()[self._log_start :].decode(errors="replace")[-1500:]
