"""Runs the programs of the demo: starts them in order, restarts those that end, stops them in reverse order."""

import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol

from portal_app.local.child import Child, Program
from portal_app.local.errors import LocalError, start_error
from portal_app.local.leftovers import stop_leftovers
from portal_app.local.lock import FileLock
from portal_app.local.process import wait_until

# Long enough for a slow machine to build the pages during the start (`make dev`).
STARTING_SECONDS = 300.0
STOPPING_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
HEALTHY_AFTER = 60.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Server(Protocol):
    """A server that the supervisor starts and stops, such as EmbeddedPostgres."""

    def start(self) -> str:
        """Start and return the URL."""

    def stop(self) -> None:
        """Shut down cleanly."""

    def is_running(self) -> bool:
        """Return whether it is running."""


def print_line(line: str) -> None:
    """Write one line to the terminal."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class Supervisor:
    """Runs the servers and programs of a home folder; a context manager for the main thread.

    Ctrl-C, SIGTERM or a closed terminal stop everything in reverse order; a second Ctrl-C does not wait. Entering
    raises HomeInUse if another supervisor uses the home, and stops programs that a killed supervisor left running, so
    claim ports after entering.
    """

    def __init__(self, home: Path, *, say: Callable[[str], None] = print_line) -> None:
        self.home = Path(home).resolve()
        self.say = say
        self._lock = FileLock(self.home / "lock")
        self._servers: dict[str, Server] = {}
        self._children: list[Child] = []
        self._pauses: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._running = False
        self._stop_requests = 0

    def __enter__(self) -> "Supervisor":
        self._lock.acquire()
        self._old_handlers = {number: signal.signal(number, self._on_signal) for number in STOP_SIGNALS}
        if left := stop_leftovers(self.home):
            self.say(f"Stopped {len(left)} programs that an earlier run had left behind.")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._running = True  # signals are only counted now, so that nothing interrupts the shutdown
        try:
            self._stop_all()
        finally:
            for number, handler in self._old_handlers.items():
                signal.signal(number, handler)
            self._lock.release()

    def attach(self, name: str, server: Server) -> str:
        """Start a server and return its URL. `run` restarts it if it ends; it is stopped after all programs."""
        self._servers[name] = server
        return server.start()

    def add(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], bool] | str | None = None,
        restart: bool = True,
    ) -> None:
        """Add a program for `run`. `env` is added to the environment, `ready` is a URL or a function.

        Without `restart`, the whole run ends when the program ends.
        """
        program = Program(name, tuple(argv), env=dict(env or {}), ready=ready, restart=restart)
        self._children.append(Child(program, home=self.home, say=self.say))

    def run(self, *, on_ready: Callable[[], None] | None = None) -> int:
        """Start the programs in order, call `on_ready`, and supervise them until a stop signal; return an exit code.

        Raises LocalError with the last lines of the log if a program does not become ready, PortTaken if that is why.
        """
        self._running = True
        for child in self._children:
            self._start(child)
            if self._stop_requests:
                return 0
        if on_ready is not None:
            on_ready()
        while not self._stop_requests:
            if not self._watch():
                return 1
            wait_until(lambda: self._stop_requests > 0, seconds=0.2, every=0.05)
        return 0

    def drop_programs(self) -> None:
        """Stop the programs in reverse order and forget them; the servers go on."""
        self._stop_children()
        self._children.clear()

    def _start(self, child: Child) -> None:
        child.start()
        wait_until(
            lambda: child.is_ready() or child.exit_code() is not None or self._stop_requests > 0,
            seconds=STARTING_SECONDS,
            every=0.05,
        )
        if self._stop_requests:
            return
        code = child.exit_code()
        if code is not None:
            child.sweep()
            raise start_error(f"{child.name} ended at its start ({_ending(code)})", child.last_lines())
        if not child.is_ready():
            raise LocalError(f"{child.name} is not ready after {STARTING_SECONDS:.0f} s:\n{child.last_lines()}")

    def _watch(self) -> bool:
        """Check everything once; return False if a program without `restart` ended."""
        for name, server in self._servers.items():
            if not server.is_running() and not self._stop_requests:
                self.say(f"{name} died; starting it again.")
                server.stop()
                server.start()
        return all(self._check_child(child) for child in self._children)

    def _check_child(self, child: Child) -> bool:
        code = child.exit_code()
        if code is None or self._stop_requests:
            return True
        if not child.program.restart:
            self.say(f"{child.name} ended ({_ending(code)}). Its log: {child.log_path}")
            return False
        now = time.monotonic()
        if child.name not in self._due:
            self._plan_restart(child, code)
        elif now >= self._due[child.name]:
            del self._due[child.name]
            child.start()
        return True

    def _plan_restart(self, child: Child, code: int) -> None:
        child.sweep()
        healthy = time.monotonic() - child.started_at > HEALTHY_AFTER
        pause = FIRST_PAUSE if healthy else self._pauses.get(child.name, FIRST_PAUSE)
        self._pauses[child.name] = min(pause * 2, LONGEST_PAUSE)
        self._due[child.name] = time.monotonic() + pause
        self.say(f"{child.name} ended ({_ending(code)}); starting it again in {pause:g} s. Its log: {child.log_path}")

    def _stop_all(self) -> None:
        self._stop_children()
        for server in reversed(self._servers.values()):
            server.stop()

    def _stop_children(self) -> None:
        for child in reversed(self._children):
            child.stop(seconds=STOPPING_SECONDS, hurry=lambda: self._stop_requests > 1)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop_requests += 1
        if not self._running:
            raise KeyboardInterrupt


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
