"""API and OpenAPI document agree: Schemathesis finds no 5xx, and no response that the document does not tell."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
# They end the session that all others need.
ENDINGS = ("/api/auth/logout", "/api/auth/logout-everywhere", "/api/me/sessions/{session_id}")
# A valid value can be refused for a reason that no schema tells: a wrong password, a day that is past.
NOT_CHECKED = "positive_data_acceptance"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A web process with everything but its pages."""
    # No session or proof ends before the last example.
    lasting = {"portal_access_seconds": 3600, "portal_step_up_seconds": 3600}
    with running_web(tmp_path_factory.mktemp("web") / "log", **lasting) as settings:
        yield settings


@contextmanager
def signed_in(site: Settings, email: str) -> Iterator[httpx.Client]:
    """Yield a program that is signed in."""
    with httpx.Client(base_url=site.portal_url) as http:
        http.post("/api/auth/login", json={"email": email, "password": PASSWORD}).raise_for_status()
        yield http


def disagreements(http: httpx.Client, folder: Path, *options: str, known: dict[str, Any] | None = None) -> str:
    """Return what Schemathesis complains of, an empty text for nothing. `known` are ids to put into paths."""
    tried = examples(2)
    # The cases of the first phase follow from the document alone; those of the other are drawn.
    phases, drawn = ("coverage", ["--generation-deterministic"]) if tried["derandomize"] else ("coverage,fuzzing", [])
    settings = folder / "schemathesis.toml"
    settings.write_text(
        "[parameters]\n" + "".join(f'"path.{name}" = "{value}"\n' for name, value in (known or {}).items())
    )
    (cookie,) = (f"{name}={value}" for name, value in http.cookies.items() if "-access-" in name)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)),
        *("run", f"{http.base_url}/api/openapi.json", "--no-color", "--warnings", "off"),
        *("--phases", phases, "--max-examples", str(tried["max_examples"]), *drawn),
        *("--checks", "all", "--exclude-checks", NOT_CHECKED, "--suppress-health-check", "all"),
        *("-H", f"Cookie: {cookie}", "--generation-with-security-parameters", "false", "--max-redirects", "0"),
        *options,
    ]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


@pytest.mark.examples
def test_every_response_to_any_request_is_one_that_the_document_tells(
    site: Settings, chiyo: tuple[Visitor, Any], tmp_path: Path
) -> None:
    others, ends = (
        [word for path in ENDINGS for word in (option, path)] for option in ("--exclude-path", "--include-path")
    )
    with signed_in(site, chiyo[0].email) as http:
        assert disagreements(http, tmp_path, *others) == ""
        # The session lives: all this was not about "please sign in".
        assert http.get("/api/me").status_code == 200
        assert disagreements(http, tmp_path, *ends) == ""


@pytest.mark.examples
def test_what_a_customer_has_is_shown_as_the_document_tells(site: Settings, tmp_path: Path) -> None:
    shown = r"--include-path-regex ^/api/(invoices|subscriptions)/\{ --include-method GET --mode positive".split()
    lists = {"invoice_id": "/api/invoices", "service_id": "/api/subscriptions"}
    with signed_in(site, BEN) as http:
        known = {name: http.get(path).json()["items"][0]["id"] for name, path in lists.items()}
        assert [http.get(f"{path}/{known[name]}").status_code for name, path in lists.items()] == [200, 200]
        assert disagreements(http, tmp_path, *shown, known=known) == ""
