"""One program of the supervisor: start, readiness check, log and stop."""

import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from portal_app.local.errors import PORT_TAKEN
from portal_app.local.process import spawn, wait_until

# Set in every child and inherited by its children, so that a later run finds processes that were left behind.
HOME_MARK = "PORTAL_SUPERVISED_HOME"
LARGEST_LOG = 10_000_000
PROBLEM = re.compile(r'\b(ERROR|CRITICAL|FATAL)\b|\[(error|critical) *\]|"level": ?"(error|critical)"|^Traceback ')
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Program:
    """A program to run. `ready` is a URL that answers below 400 or a function that returns True."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | str | None = None
    restart: bool = True


class Child:
    """A program and its current process. Its output goes to `log/<name>.log`, error lines also to `say`."""

    def __init__(self, program: Program, *, home: Path, say: Callable[[str], None]) -> None:
        self.program = program
        self.name = program.name
        self.log_path = home / "log" / f"{program.name}.log"
        self.started_at = 0.0
        self._home = home
        self._say = say
        self._pid_file = home / "run" / f"{program.name}.pid"
        self._process: subprocess.Popen[bytes] | None = None
        self._pump: threading.Thread | None = None
        self._latest: deque[str] = deque(maxlen=15)
        self._port_taken = ""

    def start(self) -> None:
        """Start the process; its pid is in `run/<name>.pid` while it runs."""
        for folder in (self.log_path.parent, self._pid_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._rotate_log()
        self._latest.clear()
        self._port_taken = ""
        self._process = spawn(
            self.program.argv,
            output=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.program.env, HOME_MARK: str(self._home)},
        )
        self.started_at = time.monotonic()
        self._pid_file.write_text(f"{self._process.pid}\n{' '.join(self.program.argv)}\n")
        assert self._process.stdout is not None
        self._pump = threading.Thread(target=self._copy_lines, args=(self._process.stdout,), daemon=True)
        self._pump.start()

    def exit_code(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return self._process.poll() if self._process else 0

    def is_ready(self) -> bool:
        """Run the readiness check once."""
        ready = self.program.ready
        if ready is None:
            return True
        return answers(ready) if isinstance(ready, str) else ready()

    def stop(self, *, seconds: float, hurry: Callable[[], bool]) -> None:
        """Send SIGTERM, wait for `seconds` or until `hurry` returns True, then kill the rest of the process group."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            wait_until(lambda: self.exit_code() is not None or hurry(), seconds=seconds)
        self.sweep()
        self._pid_file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Kill the remaining processes of the group, such as the workers of a killed server."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # the group is empty; macOS reports PermissionError
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        if self._pump is not None:
            self._pump.join(2)

    def last_lines(self) -> str:
        """Return the last lines of output since the start, and before them the one that says that a port is taken."""
        hidden = [self._port_taken] if self._port_taken and self._port_taken not in self._latest else []
        return "\n".join([*hidden, *self._latest])

    def _copy_lines(self, output: IO[bytes]) -> None:
        in_trace = False
        with output, self.log_path.open("a", encoding="utf-8", errors="replace") as log:
            for raw in output:
                line = raw.decode(errors="replace").rstrip("\n")
                log.write(f"{self.name} | {line}\n")
                log.flush()
                self._latest.append(line)
                if not self._port_taken and PORT_TAKEN.search(line):
                    self._port_taken = line
                problem = PROBLEM.search(line) is not None
                if problem or in_trace:
                    self._say(f"{self.name}: {line}")
                in_trace = line.startswith("Traceback ") or (in_trace and line.startswith(" "))

    def _rotate_log(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > LARGEST_LOG:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))


def answers(url: str) -> bool:
    """Return whether a URL answers with a status below 400."""
    try:
        with DIRECT.open(url, timeout=5) as answer:
            return bool(answer.status < 400)
    except (OSError, urllib.error.URLError):
        return False
