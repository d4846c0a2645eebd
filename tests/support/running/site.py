"""The web process over the tests' world, with two workers, and tabs without a browser."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.event_socket import EventSocket
from portal_app.local.frontend import build_frontend
from portal_app.local.ports import free_port
from tests.support.running.processes import environment
from tests.support.running.world import PASSWORD, world
from tests.support.waiting import LONGEST_SECONDS

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT = "reflex___state____state.portal_app___state___profile___account____account_page.load"
HYDRATE = "reflex___state____state.hydrate"
MUST_RELOAD = '"must_reload_rx_state_":true'


@dataclass(frozen=True)
class Site:
    """A running web process, and the browsers that signed in to it."""

    url: str
    process: "subprocess.Popen[bytes]"
    browsers: list[httpx.Client] = field(default_factory=list)

    def sign_in(self, email: str) -> tuple[httpx.Client, str]:
        """Sign in; return the browser and its Cookie line."""
        client = httpx.Client(base_url=self.url, timeout=LONGEST_SECONDS)
        self.browsers.append(client)
        client.post("/api/auth/login", json={"email": email, "password": PASSWORD}).raise_for_status()
        return client, "; ".join(f"{name}={value}" for name, value in client.cookies.items())


@contextmanager
def running_site(log: Path, **changes: Any) -> Iterator[Site]:
    """Run `portal_app.jobs.web` on a free port until the block ends, with some settings changed."""
    port = free_port()
    url = f"http://localhost:{port}"
    own = {"portal_url": url, "portal_port": port, "portal_web_workers": 2, "portal_metrics_port": 0}
    settings = world().settings_with(**{**own, "portal_event_limit": "100000/minute", **changes})
    build_frontend(ROOT, env=environment(settings))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal_app.jobs.web"],
            cwd=ROOT,
            env={**os.environ, **environment(settings)},
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not _answers(url):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.1)
        site = Site(url, process)
        yield site
        for browser in site.browsers:
            browser.close()
    finally:
        process.terminate()
        process.wait(LONGEST_SECONDS)


async def received_until(tab: EventSocket, *words: str) -> str:
    """Return everything a tab receives until one of the words is in it."""
    received = ""
    async with asyncio.timeout(LONGEST_SECONDS):
        while not any(word in received for word in words):
            received += await tab.update()
    return received


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/health/live").status_code == 200
    except httpx.TransportError:
        return False
