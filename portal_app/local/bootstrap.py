"""Creates `.venv` with hash-locked packages. Runs as a plain script, before any package is installed."""

# Run by the system's `python3`: it must parse in older versions too, and import only the standard library.
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
    """Create or update the environment if it does not match the lock file."""
    use_supported_python()
    with one_at_a_time():
        wanted = fingerprint()
        if STAMP.exists() and STAMP.read_text() == wanted and succeeds([str(PYTHON), "-c", "import sys"]):
            return
        make_environment()
        install_packages()
        STAMP.write_text(wanted)
        say("The environment is ready: " + str(VENV))


def use_supported_python() -> None:
    """Replace this process by a Python between 3.11 and 3.14 if it is not one."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which("python3." + str(minor))
        if found and succeeds([found, "-c", "import sys"]):
            os.execv(found, [found, __file__])  # noqa: S606
    stop("This needs Python 3.11 or newer (up to 3.14); found only {}.{}.".format(*sys.version_info[:2]))


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold a lock, so that concurrent runs wait for each other."""
    path = ROOT / ".portal" / "bootstrap.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fingerprint() -> str:
    """Return a text that changes with the lock file, the Python version and the path of the environment."""
    locked = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    return "{}\n{}.{}\n{}\n".format(locked, *sys.version_info[:2], VENV)


def make_environment() -> None:
    """Create `.venv` with pip; on Debian without python3-venv install that package first."""
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
    """Return whether the environment was created at another path or by another Python version."""
    if not STAMP.exists():
        return not succeeds([str(PYTHON), "-c", "import sys; assert sys.version_info[:2] >= (3, 11)"])
    return STAMP.read_text().splitlines()[1:] != fingerprint().splitlines()[1:]


def install_packages() -> None:
    """Install the packages of the lock file, checking every hash."""
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
    """Install Debian packages and return whether it succeeded; needs root and apt-get."""
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
    """Run a command without output and return whether it succeeded."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def say(line: str) -> None:
    """Write one line to the terminal."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def stop(line: str) -> None:
    """Exit with a message on the terminal."""
    raise SystemExit(line)


if __name__ == "__main__":
    main()
