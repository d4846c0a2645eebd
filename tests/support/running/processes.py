"""The portal's own worker and listener as real processes, to be killed, stopped and started again, and its commands.

Each is what `python -m portal_app.jobs.<role>` runs, forked from a process that has imported it already: a start then
takes a fraction of a second instead of five.
"""

import multiprocessing
import os
import re
import runpy
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from portal_app.infra.settings import Settings
from tests.support.waiting import LONGEST_SECONDS

Role = Literal["worker", "listener"]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.support.running.preloaded"])


class Process:
    """One worker or listener."""

    def __init__(self, role: Role, settings: Settings, log: Path) -> None:
        self.role = role
        self._log = log
        self._process: ForkServerProcess = _FORKS.Process(target=_run, args=(role, environment(settings), str(log)))
        self._process.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid or 0

    def log(self) -> str:
        """Return its whole log."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def wait_until_ready(self) -> "Process":
        """Wait until it is ready."""
        return self.wait_until_it_says(f"{self.role}.ready")

    def wait_until_it_says(self, words: str) -> "Process":
        """Wait for words in its log."""
        self._wait(lambda: words in self.log(), words)
        return self

    def slot(self) -> str:
        """Return the name DBOS knows a worker by, empty before it works."""
        said = re.search(r"worker\.ready .*slot=(slot-\d+)", self.log())
        return said[1] if said else ""

    def is_alive(self) -> bool:
        """Say whether it runs."""
        return self._process.is_alive()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()
        self._process.join()

    def terminate(self) -> None:
        """Ask it to leave, as a supervisor does."""
        os.kill(self.pid, signal.SIGTERM)

    def exit_code(self) -> int | None:
        """Wait for its end and return how it ended, None if it still runs."""
        self._process.join(LONGEST_SECONDS)
        return self._process.exitcode

    def _wait(self, question: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not question():
            assert self.is_alive(), f"the {self.role} ended with {self._process.exitcode}:\n{self.log()[-3000:]}"
            assert time.monotonic() < deadline, f"the {self.role} never said {what!r}:\n{self.log()[-3000:]}"
            time.sleep(0.02)


class Processes:
    """Everything a test starts; what still runs at its end is killed."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.all: list[Process] = []

    def start(self, role: Role, settings: Settings) -> Process:
        """Start one and return at once."""
        process = Process(role, settings, self._home / f"{role}-{len(self.all)}.log")
        self.all.append(process)
        return process

    def start_all(self, *roles: Role, settings: Settings) -> list[Process]:
        """Start several side by side and wait until they work."""
        started = [self.start(role, settings) for role in roles]
        return [process.wait_until_ready() for process in started]

    def of_slot(self, slot: str) -> Process:
        """Return the living worker that holds a slot."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            for one in self.all:
                if one.role == "worker" and one.is_alive() and one.slot() == slot:
                    return one
            time.sleep(0.02)
        raise AssertionError(f"no living worker holds {slot}")

    def kill_all(self) -> None:
        """Kill what still runs."""
        for process in self.all:
            process.kill()

    def logs(self) -> str:
        """Return the logs of all processes."""
        return "\n".join(f"--- {one.role} {one.pid}\n{one.log()[-6000:]}" for one in self.all)


def command(settings: Settings, *words: str, log: Path) -> str:
    """Run `portal` with some words as an operator does, to its end, and return what it says; it must succeed."""
    process = _FORKS.Process(target=_run_command, args=(words, environment(settings), str(log)))
    process.start()
    process.join(LONGEST_SECONDS)
    told = log.read_text()
    log.unlink()
    assert process.exitcode == 0, f"exit code {process.exitcode}: {told[-2000:]}"
    return told


def environment(settings: Settings) -> dict[str, str]:
    """Return settings as the environment variables that make them."""
    values: dict[str, Any] = {name: getattr(settings, name) for name in type(settings).model_fields}
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in values.items()
    }
    return {name.upper(): str(value) for name, value in plain.items()}


def _run(role: Role, variables: dict[str, str], log: str) -> None:
    _speak_into(log, variables)
    sys.argv = [role]
    runpy.run_module(f"portal_app.jobs.{role}", run_name="__main__")


def _run_command(words: tuple[str, ...], variables: dict[str, str], log: str) -> None:
    def become(_: str, line: list[str]) -> None:
        _, _, module, *sys.argv[1:] = line
        runpy.run_module(module, run_name="__main__")

    _speak_into(log, variables)
    sys.argv = ["portal", *words]
    # The command replaces its process by the program that it names: here the one that is imported already goes on.
    os.execv = become
    runpy.run_module("portal_app.cli", run_name="__main__")


def _speak_into(log: str, variables: dict[str, str]) -> None:
    os.environ |= variables
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1) for number in (1, 2))
