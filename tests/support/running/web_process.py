"""A web process of the portal without its pages: what attackers of the event socket talk to."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from portal_app.infra.settings import Settings
from portal_app.jobs.web import command, raise_file_limit
from portal_app.local.ports import free_port
from tests.support.running.processes import environment
from tests.support.running.world import world
from tests.support.waiting import LONGEST_SECONDS

_ROOT = Path(__file__).resolve().parents[3]
# Reflex builds nothing and mounts no frontend: these tests attack only the API and the socket.
_BARE = {"__REFLEX_SKIP_COMPILE": "true", "REFLEX_ENV_MODE": "prod", "REFLEX_OPLOCK_ENABLED": "true"}


@contextmanager
def running_web(log: Path, **changes: Any) -> Iterator[Settings]:
    """Run one web process on a free port and yield its settings."""
    port = free_port()
    settings = world().settings_with(
        portal_port=port,
        portal_url=f"http://localhost:{port}",
        portal_metrics_port=0,
        portal_web_workers=1,
        **changes,
    )
    variables = {**os.environ, **environment(settings), **_BARE}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(settings, files=raise_file_limit()), cwd=_ROOT, env=variables, stdout=output, stderr=output
        )
    try:
        _wait_until_ready(process, settings.portal_url, log)
        yield settings
    finally:
        process.terminate()
        process.wait(LONGEST_SECONDS)


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(f"{url}/api/health/ready", timeout=10).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"the web process did not start:\n{log.read_text()[-3000:]}")
