"""Where the built pages lie, and the stamp that says from which sources they were built."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
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
_STAMP = "built-from.txt"


def client_folder() -> Path:
    """Return where the built pages lie for this process."""
    return Path(os.environ.get("REFLEX_WEB_WORKDIR") or ".web") / "build" / "client"


def stamp_file(client: Path) -> Path:
    """Return the path of the stamp. It is inside the output, so that replacing the output also removes the stamp."""
    return client / _STAMP


def stamp_of(root: Path) -> str:
    """Return a hash of the names and contents of all input files."""
    digest = hashlib.sha256()
    for path in _input_files(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()


def is_built_from(client: Path, stamp: str) -> bool:
    """Return whether pages were built from the sources with this stamp."""
    try:
        return stamp_file(client).read_text() == stamp
    except OSError:
        return False


def _input_files(root: Path) -> Iterator[Path]:
    for name in INPUTS:
        path = root / name
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from (file for file in found if file.is_file() and file.suffix not in IGNORED_SUFFIXES)
