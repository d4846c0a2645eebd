"""What the image holds, laid out in a folder that nobody may write to, and its processes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.running.site import ROOT
from tests.support.waiting import LONGEST_SECONDS

_COPIED = re.compile(r"^COPY (?:--\S+ )*(.+) (\S+)$", re.M)
_COMPILES = re.compile(r"^RUN python (-m compileall .+)$", re.M)
_NO_RIGHTS = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
_LEFT_ALONE = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")


def lay_out(app: Path) -> None:
    """Copy what the last stage of deploy/Dockerfile copies, compile as it does, and take every right to write away."""
    stage = (ROOT / "deploy" / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    for sources, target in _COPIED.findall(stage):
        for source in sources.split():
            place = ROOT / source.removeprefix("/app/")
            goal = app / (place.name if target.endswith("/") else target)
            goal.parent.mkdir(parents=True, exist_ok=True)
            if place.is_dir():
                shutil.copytree(place, goal, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(place, goal)
    for words in _COMPILES.findall(stage):
        subprocess.run([sys.executable, *words.split()], cwd=app, check=True)
    for path in [app, *app.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def contents(app: Path) -> dict[str, int]:
    """Return every path below a folder with its time of change."""
    return {str(path.relative_to(app)): path.stat().st_mtime_ns for path in app.rglob("*")}


@contextmanager
def running(app: Path, command: str, settings: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run one process of the image until the block ends, without any right to write into its folder."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*as_nobody(), sys.executable, "-m", "portal_app.cli", command],
            cwd=app,
            env=environment(app, settings, log.parent),
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def environment(app: Path, settings: Mapping[str, str], temporary: Path) -> dict[str, str]:
    """Return the variables of a container: those of the image, and on top of them those of its settings file."""
    stage = (ROOT / "deploy" / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    variables = re.search(r"^ENV ((?:.*\\\n)*.*)$", stage, re.M)
    assert variables
    image = dict(part.split("=", 1) for part in variables[1].replace("\\\n", " ").split())
    image["REFLEX_DIR"] = str(temporary / "reflex")
    here = {name: os.environ[name] for name in _LEFT_ALONE if name in os.environ}
    return {**here, **image, "PYTHONPATH": str(app), "TMPDIR": str(temporary), **settings}


def as_nobody() -> list[str]:
    """Return the words before a command that keep root from writing where nobody may; others cannot anyway."""
    return _NO_RIGHTS if os.geteuid() == 0 else []


def wait_for_words(process: "subprocess.Popen[bytes]", log: Path, words: str) -> None:
    """Wait until a process said some words. Raises AssertionError with what it said instead."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while words not in (said := log.read_text(errors="replace")):
        assert process.poll() is None, f"it ended with {process.returncode}:\n{said[-3000:]}"
        assert time.monotonic() < deadline, f"it never said {words!r}:\n{said[-3000:]}"
        time.sleep(0.05)
