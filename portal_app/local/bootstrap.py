"""Makes `.venv` from nothing but a Python, with hash-locked packages; runs as a plain script, before any are there."""

# Read by whatever `python3` is: it must parse in older versions too, and import only the standard library.
from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 14)
ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"
STAMP = VENV / "installed-from.txt"
QUIET_PIP = ["--disable-pip-version-check", "--no-input", "--quiet"]


def main() -> None:
    """Make the environment fit the lock file; do nothing when it does already."""
    use_a_fitting_python()
    with one_at_a_time():
        wanted = fingerprint()
        if STAMP.exists() and STAMP.read_text() == wanted and succeeds([str(PYTHON), "-c", "import sys"]):
            return
        make_environment()
        install_packages()
        STAMP.write_text(wanted)
        say("The environment is ready: " + str(VENV))


def use_a_fitting_python() -> None:
    """Go on as a Python between 3.11 and 3.14, if this one is not."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which("python3." + str(minor))
        if found and succeeds([found, "-c", "import sys"]):
            os.execv(found, [found, __file__])  # noqa: S606
    stop("This needs Python 3.11 or newer (up to 3.14); found only {}.{}.".format(*sys.version_info[:2]))


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second starter wait for the first."""
    place = ROOT / ".portal" / "bootstrap.lock"
    place.parent.mkdir(exist_ok=True)
    with place.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fingerprint() -> str:
    """Describe what the environment is made from: the lock file, the Python, and its own place."""
    locked = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    return "{}\n{}.{}\n{}\n".format(locked, *sys.version_info[:2], VENV)


def make_environment() -> None:
    """Create `.venv` with pip in it, helping a Debian without python3-venv."""
    if succeeds([str(PYTHON), "-m", "pip", "--version"]) and not moved_or_other_python():
        return
    say("Creating a virtual environment in .venv ...")
    python = str(getattr(sys, "_base_executable", sys.executable))  # not the one of an activated environment
    create = [python, "-m", "venv", "--clear", str(VENV)]
    if succeeds(create):
        return
    if install_system_packages("python3-venv") and succeeds(create):
        return
    bare = [python, "-m", "venv", "--clear", "--without-pip", str(VENV)]
    if succeeds([python, "-m", "pip", "--version"]) and succeeds(bare):
        host_pip = [python, "-m", "pip", "--python", str(PYTHON), "install", *QUIET_PIP, "pip"]
        if succeeds(host_pip):
            return
    stop("Python cannot create virtual environments here. On Debian or Ubuntu: apt-get install python3-venv")


def moved_or_other_python() -> bool:
    """Tell whether the environment was made at another place or by another Python than this one."""
    if not STAMP.exists():
        return not succeeds([str(PYTHON), "-c", "import sys; assert sys.version_info[:2] >= (3, 11)"])
    return STAMP.read_text().splitlines()[1:] != fingerprint().splitlines()[1:]


def install_packages() -> None:
    """Install exactly what the lock file names, checking every hash."""
    say("Installing the locked packages (about 300 MB on disk, a minute on a good line) ...")
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        *QUIET_PIP,
        "--no-compile",
        "--require-hashes",
        "-r",
        str(REQUIREMENTS),
    ]
    log = ROOT / ".portal" / "log" / "install.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        end = log.read_text(errors="replace")[-2000:]
        stop(f"The packages could not be installed (all of it in {log}):\n{end}")


def install_system_packages(*names: str) -> bool:
    """Install Debian packages when we are root and apt-get is there; false when that cannot be done."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say("Installing {} with apt-get ...".format(" ".join(names)))
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *names]):
        done = subprocess.run(["apt-get", *command], env=env, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0 and command[0] == "install":
            return False
    return True


def succeeds(command: list[str]) -> bool:
    """Run a command silently and tell whether it succeeded."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def say(line: str) -> None:
    """Write one line to the terminal."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def stop(line: str) -> None:
    """End with a sentence for the person at the terminal."""
    raise SystemExit(line)


if __name__ == "__main__":
    main()
