"""Finds and stops programs that a killed supervisor left running."""

import os
import signal
import sys
from pathlib import Path

from portal_app.local.child import HOME_MARK
from portal_app.local.process import command_line, is_running, wait_until


def stop_leftovers(home: Path) -> list[int]:
    """Stop all programs of an earlier supervisor of this home and return their pids; the caller holds the lock."""
    found = _marked(home) if sys.platform == "linux" else _noted(home)
    for number, seconds in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0)):
        for pid in filter(is_running, found):
            _send(pid, number)
        if wait_until(lambda: not any(map(is_running, found)), seconds=seconds):
            break
    for note in (home / "run").glob("*.pid"):
        note.unlink(missing_ok=True)
    return found


def _marked(home: Path) -> list[int]:
    """Find them by their environment variable, which also finds grandchildren and is safe against reused pids."""
    mark = f"{HOME_MARK}={home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # gone, or another user's
            continue
        if mark in variables and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def _noted(home: Path) -> list[int]:
    """Find them by their pid files; a pid counts only if it still runs the recorded command."""
    found = []
    for note in (home / "run").glob("*.pid"):
        pid, _, command = note.read_text().strip().partition("\n")
        if pid.isdigit() and command and " ".join(command_line(int(pid))) == command:
            found.append(int(pid))
    return found


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
