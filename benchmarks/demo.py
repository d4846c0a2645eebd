"""The demo under measurement: `portal demo` in a separate home, and signed-in clients."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from portal_app.jobs.demo_customers import PASSWORD
from portal_app.local.ports import free_port
from portal_app.local.servers.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
BEN = "ben@example.jp"
# Limits that the load of a measurement would exceed; all other settings are the demo's.
NO_LIMITS = {
    "PORTAL_SIGN_IN_LIMIT": "1000000/minute",
    "PORTAL_SIGN_IN_TOTAL_LIMIT": "1000000/minute",
    "PORTAL_ACCOUNT_SIGN_IN_LIMIT": "1000000/minute",
    "PORTAL_STRANGER_AUDIT_LIMIT": "1000000/minute",
    "PORTAL_ORDER_LIMIT": "1000000/minute",
    "PORTAL_SAME_ORDER_LIMIT": "1000000/minute",
    "PORTAL_ACCOUNT_SOCKET_LIMIT": "1000",
    "PORTAL_ACCOUNT_NEW_SOCKET_LIMIT": "1000000/minute",
    "PORTAL_HASH_QUEUE": "200",
    "PORTAL_HASH_SECONDS": "60",
    "PORTAL_LOCK_TRIES": "1000000",
    "PORTAL_API_LIMIT": "1000000/minute",
    "PORTAL_EVENT_LIMIT": "1000000/minute",
    "PORTAL_NEW_SOCKET_LIMIT": "1000000/minute",
    "WHMCS_RATE": "1000000/minute",
    "SF_RATE": "1000000/minute",
    "PORTAL_OPEN_UPLOADS": "10",
    "PORTAL_UPLOAD_LIMIT": "1000000/minute",
    "PORTAL_UPLOAD_DAY_MEGABYTES": "100000",
    "PORTAL_LOG_FORMAT": "json",
}
_LONGEST_START = 300


@dataclass(frozen=True)
class Demo:
    """A running demo: URLs of portal and back office, home folder and duration of the start."""

    url: str
    office: str
    home: Path
    seconds: float
    has_built: bool

    @contextmanager
    def signed_in(self, email: str = BEN) -> Iterator[httpx.Client]:
        """Yield a client with a new session, Ben's by default."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            client.post("/api/auth/login", json={"email": email, "password": PASSWORD}).raise_for_status()
            yield client

    def database_url(self) -> str:
        """Return the URL of the demo's database."""
        return EmbeddedPostgres(self.home / "postgres", port=self.port_of("postgres")).url()

    def redis_url(self) -> str:
        """Return the URL of the demo's Valkey."""
        password = (self.home / "valkey" / "password").read_text()
        return f"redis://:{password}@127.0.0.1:{self.port_of('valkey')}/0"

    def port_of(self, server: str) -> int:
        """Return the port of one of the demo's servers."""
        return int(json.loads((self.home / "ports.json").read_text())[server]["port"])


@contextmanager
def running_demo(home: Path, *, port: int = 0, **settings: str) -> Iterator[Demo]:
    """Run `portal demo` in `home` until the block ends, on `port` or a free port."""
    log = home.with_suffix(".log")
    command = [sys.executable, "-m", "portal_app.cli", "demo", "--home", str(home), "--port", str(port or free_port())]
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **settings}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield _when_ready(process, log, home, began)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def cookie_line(client: httpx.Client) -> str:
    """Return the value of the Cookie header with the session cookies."""
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def _when_ready(process: subprocess.Popen[bytes], log: Path, home: Path, began: float) -> Demo:
    while time.monotonic() < began + _LONGEST_START and process.poll() is None:
        text = log.read_text()
        if "Ctrl-C stops" in text:
            seconds = time.monotonic() - began
            url = re.search(r"Portal\s+(http\S+)", text)[1]
            office = re.search(r"Back office\s+(http\S+)", text)[1]
            return Demo(url, office, home, seconds, "Building the pages" in text)
        time.sleep(0.05)
    raise SystemExit(f"The demo did not start:\n{log.read_text()[-3000:]}")
