"""API and OpenAPI document agree: Schemathesis finds no 5xx, and no response that the document does not tell."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from portal_app.infra.settings import Settings
from tests.support.clients.new_customer import chiyo
from tests.support.clients.visitor import Visitor
from tests.support.generated import examples
from tests.support.running.web_process import running_web
from tests.support.running.world import BEN, PASSWORD

__all__ = ["chiyo"]
# They end the session that everything else needs.
_LEFT_OUT = ("/api/auth/logout", "/api/auth/logout-everywhere")
# A value can be refused for a reason that no schema tells: a password is wrong, an address unknown, a day past.
_NOT_CHECKED = "positive_data_acceptance"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A web process with everything but its pages."""
    # Long enough for every example: the session and its proof must not end meanwhile.
    with running_web(tmp_path_factory.mktemp("web") / "log", portal_access_seconds=3600, portal_step_up_seconds=3600) as settings:
        yield settings


def signed_in(site: Settings, email: str) -> str:
    """Return the Cookie line of a customer."""
    with httpx.Client(base_url=site.portal_url) as http:
        http.post("/api/auth/login", json={"email": email, "password": PASSWORD}).raise_for_status()
        return "; ".join(f"{name}={value}" for name, value in http.cookies.items() if "access" in name)


def disagreements(site: Settings, cookie: str, folder: Path, *options: str, few: int) -> str:
    """Return what Schemathesis complains of, an empty text for nothing."""
    tried = examples(few)
    chosen = ["--generation-deterministic"] if tried["derandomize"] else []
    left_out = [word for path in _LEFT_OUT for word in ("--exclude-path", path)]
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{site.portal_url}/api/openapi.json", "--no-color"),
        *("--phases", "coverage,fuzzing", "--max-examples", str(tried["max_examples"]), *chosen),
        *("--checks", "all", "--exclude-checks", _NOT_CHECKED, "--suppress-health-check", "all"),
        *("-H", f"Cookie: {cookie}", "--max-redirects", "0", "--warnings", "off", *left_out, *options),
    ]
    run = subprocess.run(command, cwd=folder, env={**os.environ}, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


@pytest.mark.examples
def test_every_response_to_any_request_is_one_that_the_document_tells(
    site: Settings, chiyo: tuple[Visitor, Any], tmp_path: Path
) -> None:
    cookie = signed_in(site, chiyo[0].email)
    assert disagreements(site, cookie, tmp_path, few=3) == ""
    # The session lives: all this was not about "please sign in".
    assert httpx.get(f"{site.portal_url}/api/me", headers={"Cookie": cookie}).status_code == 200


@pytest.mark.examples
def test_what_a_customer_has_is_shown_as_the_document_tells(site: Settings, tmp_path: Path) -> None:
    cookie = signed_in(site, BEN)
    assert disagreements(site, cookie, tmp_path, "--include-method", "GET", few=3) == ""
