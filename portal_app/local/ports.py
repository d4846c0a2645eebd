"""Allocates loopback ports, the same ones after a restart, and no port to two copies that start together."""

import errno
import json
import os
import secrets
import socket
import tempfile
from itertools import chain
from pathlib import Path
from types import TracebackType

from portal_app.local.errors import HomeInUse, LocalError
from portal_app.local.lock import FileLock
from portal_app.local.process import wait_until

# Above the ports of usual services, and below the range of Linux (from 32768), of macOS and of Windows.
_LOWEST, _HIGHEST = 16_000, 32_000
LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def is_free(port: int) -> bool:
    """Return whether a port is free on both addresses of `localhost` (IPv4 and IPv6)."""
    return all(_can_bind(family, address, port) for family, address in LOOPBACK)


def free_port() -> int:
    """Return a port that is free now.

    It is below those the system gives to outgoing connections: until it is used, no connection takes it.
    """
    while True:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if is_free(port):
            return port


class PortBook:
    """Allocates ports by name and stores them in `ports.json`, so that addresses stay the same after a restart.

    Minutes may pass between a claim and the start of the program. The port is locked for other books of this account
    until this one is released; a program that knows no book can still take it, so claim again then.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "ports.json"
        self._locks: dict[int, FileLock] = {}

    def claim(self, name: str, wanted: int) -> int:
        """Return the stored port, else the wanted one, else the next free one above it.

        A stored port is ignored if another one is wanted now. If it is in use, this waits up to three seconds, because
        its last user may be stopping. Raises LocalError if a hundred ports in a row are in use.
        """
        book = self._read()
        entry = book.get(name, {})
        remembered = wanted
        if entry.get("wanted") == wanted:
            remembered = entry["port"]
            wait_until(lambda: is_free(remembered), seconds=3)
        taken = {other["port"] for key, other in book.items() if key != name}
        for port in chain([remembered], range(wanted, min(wanted + 100, 65536))):
            if port not in taken and is_free(port) and self._lock(port):
                book[name] = {"wanted": wanted, "port": port}
                self._write(book)
                return port
        raise LocalError(f"No free port for {name} between {wanted} and {wanted + 99}.")

    def release(self) -> None:
        """Leave the ports to other books."""
        while self._locks:
            self._locks.popitem()[1].release()

    def __enter__(self) -> "PortBook":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _lock(self, port: int) -> bool:
        """Lock a port for this book; return False where another one has it."""
        if port in self._locks:
            return True
        lock = FileLock(Path(tempfile.gettempdir()) / f"portal-ports-{os.getuid()}" / str(port))
        try:
            lock.acquire()
        except HomeInUse:
            return False
        self._locks[port] = lock
        return True

    def _read(self) -> dict[str, dict[str, int]]:
        try:
            book: dict[str, dict[str, int]] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return book

    def _write(self, book: dict[str, dict[str, int]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(book, indent=2) + "\n")
        fresh.replace(self._path)


def _can_bind(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Without this, a port with recently closed connections would count as in use.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True
