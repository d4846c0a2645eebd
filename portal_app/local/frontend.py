"""Builds the pages with Reflex and bun, only if their sources changed."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from portal_app.local.errors import LocalError
from portal_app.local.lock import FileLock
from portal_app.local.supervisor import print_line

OUTPUT = Path(".web/build/client")
INPUTS = (
    "portal_app/pages",
    "portal_app/components",
    "portal_app/state",
    "portal_app/language",
    "portal_app/portal_app.py",
    "assets",
    "rxconfig.py",
    "requirements/dev.txt",
)
IGNORED_SUFFIXES = {".pyc"}
ROOT = Path(__file__).resolve().parents[2]
EXPORT = (sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip")


def build_frontend(
    root: Path,
    *,
    env: Mapping[str, str] | None = None,
    say: Callable[[str], None] = print_line,
    command: Sequence[str] = EXPORT,
) -> Path:
    """Build `.web/build/client` below `root` if necessary and return its path; concurrent builds are serialised.

    `env` is added to the environment. Raises LocalError with the end of `.portal/log/frontend.log` if the build fails.
    """
    home = root / ".portal"
    with FileLock(home / "frontend.lock"):
        stamp = _stamp_of(root)
        if _is_fresh(root, stamp):
            return root / OUTPUT
        say("Building the pages (once per change of their sources, half a minute or so) ...")
        log = home / "log" / "frontend.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        variables = {**reflex_environment(home), **(env or {})}
        if not _build(root, command, variables, log) and not _build_from_scratch(root, command, variables, log, say):
            raise LocalError(f"The pages could not be built; all of {log} tells why, its end is:\n{_end_of(log)}")
        _stamp_file(root).write_text(stamp)
        say("The pages are built.")
    return root / OUTPUT


def reflex_environment(home: Path) -> dict[str, str]:
    """Return the environment for `reflex` commands: only the wheel's bun, no update checks, no telemetry.

    bun is also linked under the name node, in case an old Node is installed.
    """
    programs = Path(sys.executable).parent
    shims = home / "shims"
    shims.mkdir(parents=True, exist_ok=True)
    node = shims / "node"
    node.unlink(missing_ok=True)
    bun = shutil.which("bun", path=str(programs)) or shutil.which("bun")
    if bun:
        node.symlink_to(bun)
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(programs), str(shims), os.environ.get("PATH", os.defpath)]),
        "REFLEX_DIR": str(home / "reflex"),
        "REFLEX_USE_SYSTEM_BUN": "1",
        "REFLEX_USE_NPM": "0",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "NO_COLOR": "1",
    }


def _stamp_of(root: Path) -> str:
    """Return a hash of the names and contents of all input files."""
    digest = hashlib.sha256()
    for path in _input_files(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()


def _input_files(root: Path) -> Iterator[Path]:
    for name in INPUTS:
        path = root / name
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from (file for file in found if file.is_file() and file.suffix not in IGNORED_SUFFIXES)


def _stamp_file(root: Path) -> Path:
    """Return the path of the stamp. It is inside the output, so that replacing the output also removes the stamp."""
    return root / OUTPUT / "built-from.txt"


def _is_fresh(root: Path, stamp: str) -> bool:
    try:
        return _stamp_file(root).read_text() == stamp
    except OSError:
        return False


def _build(root: Path, command: Sequence[str], variables: Mapping[str, str], log: Path) -> bool:
    _stamp_file(root).unlink(missing_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            cwd=root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return done.returncode == 0 and (root / OUTPUT).is_dir()


def _build_from_scratch(
    root: Path, command: Sequence[str], variables: Mapping[str, str], log: Path, say: Callable[[str], None]
) -> bool:
    """Delete generated files, which may be incomplete or name an unreachable mirror, and build again."""
    generated = [root / ".web", root / "reflex.lock"]
    if not any(path.exists() for path in generated):
        return False
    say("The build failed; trying once more from scratch ...")
    for path in generated:
        shutil.rmtree(path, ignore_errors=True)
    return _build(root, command, variables, log)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


if __name__ == "__main__":
    build_frontend(ROOT)
