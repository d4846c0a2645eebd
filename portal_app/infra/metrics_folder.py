"""A host's figures: each process writes a snapshot into one folder, and one port per kind of process serves their sum.

A snapshot is written whole or not at all, so a full disk costs figures and nothing else. A process holds a lock for as
long as it lives; what a dead one has counted moves into one file per kind, and its gauges go.
"""

import fcntl
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from prometheus_client.core import Metric

from portal_app.infra.metrics import snapshot
from portal_app.infra.settings import Settings

Figures = list[dict[str, Any]]


def folder_of(settings: Settings) -> Path:
    """Return the folder of this portal's figures on this host: the setting's, or one of its own."""
    if settings.prometheus_multiproc_dir:
        return Path(settings.prometheus_multiproc_dir)
    portal = f"{settings.portal_url} {settings.database_url}"
    name = hashlib.sha256(portal.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"portal-metrics-{os.getuid()}" / name


def prepare(folder: Path) -> None:
    """Create a folder. Raises OSError, also where one of the portal's own belongs to somebody else."""
    parent = folder.parent
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if parent.name.startswith("portal-metrics-") and (parent.is_symlink() or parent.stat().st_uid != os.getuid()):
        raise PermissionError(f"{parent} belongs to somebody else")


class Snapshot:
    """This process's place in the folder."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder = folder
        self._name = f"{kind}-{os.getpid()}-{secrets.token_hex(3)}"
        self._lock: int | None = None
        self._written = ""

    def write(self) -> None:
        """Write what changed since the last time. Raises OSError; the last snapshot then stays."""
        if self._lock is None:
            self._lock = _locked_file(self._folder, self._name)
        text = json.dumps({"pid": os.getpid(), "figures": snapshot()})
        if text != self._written:
            _replace(self._folder / f"{self._name}.json", text)
            self._written = text


class HostFigures:
    """The figures of one kind of process on this host: the living ones' and what ended ones have counted."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder = folder
        self._kind = kind
        self._ended = folder / f"{kind}.ended.json"

    def clear(self) -> None:
        """Forget what earlier runs counted, unless one of their processes lives. Raises OSError."""
        self.sweep()
        if not any(True for _ in self._snapshots()):
            self._ended.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Move what dead processes have counted into one file, and delete theirs. Raises OSError."""
        with _exclusive(self._folder / f"{self._kind}.sweep") as is_ours:
            if not is_ours:
                return
            ended = _read(self._ended)
            dead = [name for name in self._snapshots() if self._is_dead(name)]
            fresh = [name for name in dead if name not in ended.get("names", ())]
            if fresh:
                counted = [ended.get("figures", []), *(self._figures(name) for name in fresh)]
                figures = _merged([(each, None) for each in counted])
                _replace(self._ended, json.dumps({"names": dead, "figures": figures}))
            for name in dead:
                (self._folder / f"{name}.json").unlink(missing_ok=True)
                (self._folder / f"{name}.lock").unlink(missing_ok=True)

    def collect(self) -> Iterator[Metric]:
        """Yield the sum of all, as prometheus_client takes it."""
        # Where the disk is full, nothing can be moved; what is there is summed all the same.
        with suppress(OSError):
            self.sweep()
        ended = _read(self._ended)
        found: list[tuple[Figures, int | None]] = [(ended.get("figures", []), None)]
        for name in self._snapshots():
            if name not in ended.get("names", ()):
                read = _read(self._folder / f"{name}.json")
                found.append((read.get("figures", []), None if self._is_dead(name) else int(read.get("pid", 0))))
        for figure in _merged(found):
            metric = Metric(figure["name"], figure["text"], figure["type"])
            for name, labels, value, _ in figure["samples"]:
                metric.add_sample(name, labels, value)
            yield metric

    def _snapshots(self) -> Iterator[str]:
        for lock in sorted(self._folder.glob(f"{self._kind}-*.lock")):
            yield lock.stem

    def _figures(self, name: str) -> Figures:
        return list(_read(self._folder / f"{name}.json").get("figures", []))

    def _is_dead(self, name: str) -> bool:
        with _exclusive(self._folder / f"{name}.lock", creates=False) as is_free:
            return is_free


def _merged(parts: list[tuple[Figures, int | None]]) -> Figures:
    """Add figures of several processes up; those of a dead one (without a pid) give only what outlives it."""
    found: dict[str, dict[str, Any]] = {}
    for figures, pid in parts:
        for figure in figures:
            outlives = figure["type"] != "gauge" or figure["merge"] == "latest"
            if pid is None and not outlives:
                continue
            merged = found.setdefault(figure["name"], {**figure, "samples": {}})
            for name, labels, value, set_at in figure["samples"]:
                own = {**labels, "pid": str(pid)} if figure["merge"] == "each" else labels
                _add(merged, (name, tuple(sorted(own.items()))), value, set_at)
    for figure in found.values():
        figure["samples"] = [[name, dict(own), *held] for (name, own), held in figure["samples"].items()]
    return list(found.values())


def _add(figure: dict[str, Any], key: tuple[str, Any], value: float, set_at: float) -> None:
    held = figure["samples"].setdefault(key, None)
    if held is None:
        figure["samples"][key] = [value, set_at]
    elif figure["merge"] == "sum":
        held[0] += value
    elif figure["merge"] == "max":
        held[0] = max(held[0], value)
    elif set_at >= held[1]:
        held[:] = [value, set_at]


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        draft.write_text(text)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _locked_file(folder: Path, name: str) -> int:
    """Create a locked file; under its name it is never seen unlocked."""
    draft = folder / f"{name}.new"
    opened = os.open(draft, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(opened, fcntl.LOCK_EX)
    draft.rename(folder / f"{name}.lock")
    return opened


@contextmanager
def _exclusive(path: Path, *, creates: bool = True) -> Iterator[bool]:
    """Hold a file's lock and say so; False where somebody else holds it, or the file is gone."""
    try:
        opened = os.open(path, os.O_RDWR | (os.O_CREAT if creates else 0), 0o600)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(opened)
