"""One named program under the supervisor: started, watched, logged, stopped."""

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

from portal_app.local.process import spawn, wait_until

# Every child carries this variable, and so do its own children: it is how a later run finds what was left behind.
HOME_MARK = "PORTAL_SUPERVISED_HOME"
LARGEST_LOG = 10_000_000
PROBLEM = re.compile(r'\b(ERROR|CRITICAL|FATAL)\b|\[(error|critical) *\]|"level": ?"(error|critical)"|^Traceback ')
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Program:
    """What to run and how to tell that it is ready: a URL that answers below 400, or a question to ask."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | str | None = None
    restart: bool = True


class Child:
    """A program and its present process; log lines go to `log/<name>.log`, problems to `say` as well."""

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

    def start(self) -> None:
        """Start the process; its number stands in `run/<name>.pid` while it lives."""
        for folder in (self.log_path.parent, self._pid_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._turn_log_over()
        self._latest.clear()
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
        """Return how the process ended, None while it runs."""
        return self._process.poll() if self._process else 0

    def is_ready(self) -> bool:
        """Ask the readiness question once."""
        ready = self.program.ready
        if ready is None:
            return True
        return answers(ready) if isinstance(ready, str) else ready()

    def stop(self, *, seconds: float, hurry: Callable[[], bool]) -> None:
        """Ask it to leave, wait, then end whatever is left of its group."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            wait_until(lambda: self.exit_code() is not None or hurry(), seconds=seconds)
        self.sweep()
        self._pid_file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Kill what still lives in the process group, such as the workers of a killed server."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # nobody left; macOS says it the second way
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        if self._pump is not None:
            self._pump.join(2)

    def last_lines(self) -> str:
        """Return the end of the log of this start."""
        return "\n".join(self._latest)

    def _copy_lines(self, output: IO[bytes]) -> None:
        in_trace = False
        with output, self.log_path.open("a", encoding="utf-8", errors="replace") as log:
            for raw in output:
                line = raw.decode(errors="replace").rstrip("\n")
                log.write(f"{self.name} | {line}\n")
                log.flush()
                self._latest.append(line)
                problem = PROBLEM.search(line) is not None
                if problem or in_trace:
                    self._say(f"{self.name}: {line}")
                in_trace = line.startswith("Traceback ") or (in_trace and line.startswith(" "))

    def _turn_log_over(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > LARGEST_LOG:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))


def answers(url: str) -> bool:
    """Tell whether a URL answers without an error."""
    try:
        with DIRECT.open(url, timeout=5) as answer:
            return bool(answer.status < 400)
    except (OSError, urllib.error.URLError):
        return False
