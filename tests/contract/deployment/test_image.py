"""The image's layout with `.env.example` as it is and what must be filled in: every process starts, none writes."""

import base64
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from dotenv import dotenv_values

from portal_app.infra.settings_document import REQUIRED
from portal_app.local.frontend import build_frontend
from portal_app.local.ports import free_port
from tests.contract.deployment.image import as_nobody, contents, environment, lay_out, running, wait_for_words
from tests.support.running.processes import environment as settings_of
from tests.support.running.site import ROOT
from tests.support.running.world import world
from tests.support.waiting import LONGEST_SECONDS

DATABASE = "image"


@dataclass(frozen=True)
class Image:
    """The laid out folder, what its container is told, and the address of its web process."""

    app: Path
    settings: dict[str, str]
    url: str
    home: Path


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image with a database of its own, migrated from inside it."""
    home = tmp_path_factory.mktemp("image")
    build_frontend(ROOT, env=settings_of(world().settings))
    lay_out(home / "app")
    with psycopg.connect(world().postgres.url(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
    port = free_port()
    own = Image(home / "app", as_it_is() | filled_in() | of_this_machine(port), f"http://127.0.0.1:{port}", home)
    variables = environment(own.app, own.settings, home)
    migrate = [*as_nobody(), sys.executable, "-m", "portal_app.cli", "migrate"]
    done = subprocess.run(migrate, cwd=own.app, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    yield own
    with psycopg.connect(world().postgres.url(), autocommit=True) as server:
        server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    for path in own.app.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


def as_it_is() -> dict[str, str]:
    """Return what a container is told by an untouched copy of the example."""
    return {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}


def filled_in() -> dict[str, str]:
    """Return a value for everything that must be filled in, and for nothing else."""
    there = settings_of(world().settings)
    values = {name.upper(): there[name.upper()] for name in REQUIRED}
    for name in ("PORTAL_PEPPER", "PORTAL_INDEX_KEY", "JWT_SECRET", "JWT_REFRESH_SECRET"):
        values[name] = secrets.token_urlsafe(48)
    values["PORTAL_KEYS"] = "1:" + base64.b64encode(os.urandom(32)).decode()
    values["PORTAL_URL"] = "https://portal.example.jp"
    values["PORTAL_TRUSTED_PROXIES"] = "1"
    values["PORTAL_MAIL_FROM"] = values["PORTAL_SUPPORT_EMAIL"] = "portal@portal.test"
    values["DATABASE_URL"] = world().postgres.url(DATABASE)
    values["REDIS_URL"] = f"{there['REDIS_URL']}/5"
    return values


def of_this_machine(port: int) -> dict[str, str]:
    """Return what a container has to itself and a test has not: its ports, and the way to the outside."""
    there = settings_of(world().settings)
    outside = ("SF_LOGIN_URL", "SF_AUDIENCE", "SF_CA_FILE", "SF_PUBSUB_ENDPOINT", "SF_PUBSUB_CA_FILE", "SMTP_PORT")
    ports = {"PORTAL_PORT": str(port), "PORTAL_METRICS_PORT": str(free_port())}
    return ports | {name: there[name] for name in outside}


def test_the_web_process_is_ready_and_writes_nothing(image: Image) -> None:
    before, log = contents(image.app), image.home / "web.log"
    with running(image.app, "web", image.settings, log) as process:
        deadline = time.monotonic() + LONGEST_SECONDS
        while (status := ready(image.url)) != 200:
            assert process.poll() is None and time.monotonic() < deadline, f"{status}\n{log.read_text()[-3000:]}"
            time.sleep(0.1)
        assert httpx.get(f"{image.url}/auth/login").status_code == 200
    assert contents(image.app) == before


@pytest.mark.parametrize("command", ["worker", "listener"])
def test_worker_and_listener_are_ready_and_write_nothing(image: Image, command: str) -> None:
    before, log = contents(image.app), image.home / f"{command}.log"
    with running(image.app, command, image.settings, log) as process:
        wait_for_words(process, log, f"{command}.ready")
    assert contents(image.app) == before


def ready(url: str) -> int:
    try:
        return httpx.get(f"{url}/api/health/ready", timeout=10).status_code
    except httpx.TransportError:
        return 0
