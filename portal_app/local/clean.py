"""Removes all generated files: the demo's data, the built pages, caches and the environment."""

import shutil
from pathlib import Path

from portal_app.local.lock import FileLock
from portal_app.local.servers.postgres_binaries import remove_orphaned_data

ROOT = Path(__file__).resolve().parents[2]
MADE = (".portal", ".web", ".states", "reflex.lock", ".venv")
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache")


def clean(root: Path) -> None:
    """Remove generated files below `root`. Raises HomeInUse while a demo runs there."""
    lock = FileLock(root / ".portal" / "lock")
    lock.acquire()
    try:
        for name in (*MADE, *CACHES):
            shutil.rmtree(root / name, ignore_errors=True)
        for folder in root.rglob("__pycache__"):
            shutil.rmtree(folder, ignore_errors=True)
        remove_orphaned_data()
    finally:
        lock.release()


if __name__ == "__main__":
    clean(ROOT)
