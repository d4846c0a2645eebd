"""Child processes that end with their parent, and helpers to stop and inspect processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from portal_app.local.errors import LocalError

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Account:
    """The operating system account of a child, if this process is root."""

    uid: int
    gid: int


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Wait until a condition is true and return True, or False after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(every)
    return True


def spawn(
    argv: Sequence[str],
    *,
    output: IO[Any] | int,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    parting_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in its own session, so that Ctrl-C reaches only this process.

    On Linux the kernel sends it `parting_signal` when this process dies, even by SIGKILL. PR_SET_PDEATHSIG refers to
    the starting *thread*, so it is used only in the main thread; otherwise the next start stops left-over processes.
    """
    on_main_thread = threading.current_thread() is threading.main_thread()
    if sys.platform == "linux" and on_main_thread:
        argv, account_here = _with_launcher(argv, account, parting_signal), None
    else:
        account_here = account
    return subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(env) if env is not None else None,
        cwd="/" if account else None,
        start_new_session=True,
        user=account_here.uid if account_here else None,
        group=account_here.gid if account_here else None,
        extra_groups=[] if account_here else None,
    )


def stop(process: subprocess.Popen[bytes], *, signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal and wait its seconds until the child has ended; finally send SIGKILL to its group."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def stop_by_pid(pid: int, *, signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Stop a process that is not a child of this one, like `stop`. Raises LocalError if it does not end."""
    for number, seconds in [*signals, (signal.SIGKILL, 10.0)]:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not is_running(pid), seconds=seconds):
            return
    raise LocalError(f"Process {pid} was left behind by an earlier run and cannot be stopped.")


def is_running(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return sys.platform != "linux"
    return state not in ("Z", "X")


def command_line(pid: int) -> list[str]:
    """Return the command line of a process; empty if it has ended or is a zombie."""
    if sys.platform == "linux":
        try:
            return [word.decode(errors="replace") for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
        except OSError:
            return []
    found = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.split()


def _with_launcher(argv: Sequence[str], account: Account | None, parting_signal: signal.Signals) -> list[str]:
    """Return the command with the launcher in front; the launcher changes the account."""
    identity = (account.uid, account.gid) if account else (-1, -1)
    numbers = [str(int(number)) for number in (parting_signal, os.getpid(), *identity)]
    return [sys.executable, "-I", "-S", str(LAUNCHER), *numbers, *argv]
