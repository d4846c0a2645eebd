"""Builds the pages with Reflex and bun, only if their sources changed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from portal_app.frontend_files import OUTPUT, ROOT, is_built_from, stamp_file, stamp_of
from portal_app.local.errors import LocalError
from portal_app.local.lock import FileLock
from portal_app.local.supervisor import print_line

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
        stamp = stamp_of(root)
        if is_built_from(root / OUTPUT, stamp):
            return root / OUTPUT
        say("Building the pages (once per change of their sources, half a minute or so) ...")
        log = home / "log" / "frontend.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        variables = {**reflex_environment(home), **(env or {})}
        if not _build(root, command, variables, log) and not _build_from_scratch(root, command, variables, log, say):
            raise LocalError(f"The pages could not be built; all of {log} tells why, its end is:\n{_end_of(log)}")
        stamp_file(root / OUTPUT).write_text(stamp)
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


def _build(root: Path, command: Sequence[str], variables: Mapping[str, str], log: Path) -> bool:
    stamp_file(root / OUTPUT).unlink(missing_ok=True)
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
