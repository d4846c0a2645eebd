"""Builds peers and serves them; Python peers run on granian with one worker, like the portal."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.demo import ROOT
from portal_app.local.child import answers
from portal_app.local.frontend import reflex_environment
from portal_app.local.ports import free_port
from portal_app.local.process import wait_until

_SOURCES = Path(__file__).parent
_AS_BUILT = {
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
    "REFLEX_ENV_MODE": "prod",
    "REFLEX_USE_GRANIAN": "1",
    "REFLEX_OPLOCK_ENABLED": "true",
}
_GRANIAN = (
    "--interface", "asgi", "--host", "127.0.0.1", "--workers", "1", "--log-level", "warning",
    "--factory", "--no-access-log",
)  # fmt: skip


@contextmanager
def reflex_peer(name: str, work: Path, *, redis_url: str = "") -> Iterator[str]:
    """Build the peer app `name` below `work` if necessary, serve it and yield its URL."""
    folder = work / name
    port = _kept_port(folder)
    shutil.copytree(_SOURCES / name, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    settings = {
        **reflex_environment(work),
        "PYTHONPATH": str(ROOT),
        "PEER_PORT": str(port),
        "PEER_REDIS_URL": redis_url,
    }
    if not (folder / ".web/build/client").is_dir():
        _build(folder, settings)
    with serving(f"{name}:app", folder, port, settings={**settings, **_AS_BUILT}, ready="/ping"):
        yield f"http://localhost:{port}"


@contextmanager
def bare_route(work: Path, answer: bytes, *, database: str = "") -> Iterator[str]:
    """Serve a route with this JSON response and yield its URL; another one stores in a database."""
    file, port = work / "answer.json", free_port()
    file.write_bytes(answer)
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PEER_ANSWER": str(file), "PEER_DATABASE": database}
    with serving("benchmarks.peers.bare:app", work, port, settings=settings, ready="/api/invoices"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(target: str, folder: Path, port: int, *, settings: Mapping[str, str], ready: str) -> Iterator[None]:
    """Run granian on a port until the block ends."""
    command = [sys.executable, "-m", "granian", *_GRANIAN, "--port", str(port), target]
    with running(command, folder, settings=settings, ready=f"http://127.0.0.1:{port}{ready}"):
        yield


@contextmanager
def running(command: Sequence[str], folder: Path, *, settings: Mapping[str, str], ready: str) -> Iterator[None]:
    """Run a server in its folder until the block ends; the block starts when the URL `ready` answers."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=settings, stdout=output, stderr=subprocess.STDOUT)
    try:
        if not wait_until(lambda: answers(ready), seconds=60, every=0.1):
            raise SystemExit(f"{folder.name} does not answer:\n{log.read_text()[-3000:]}")
        yield
    finally:
        process.terminate()
        process.wait(30)


def _kept_port(folder: Path) -> int:
    """Return the port that the built pages of the peer contain, or a new one."""
    folder.mkdir(parents=True, exist_ok=True)
    port_file = folder / "port"
    if not port_file.exists():
        port_file.write_text(str(free_port()))
    return int(port_file.read_text())


def _build(folder: Path, settings: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    log = folder / "build.log"
    with log.open("wb") as output:
        done = subprocess.run(
            command, cwd=folder, env=settings, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    if done.returncode:
        raise SystemExit(f"{folder.name} could not be built:\n{log.read_text(errors='replace')[-3000:]}")
