"""What operators start exists, and what must come back does."""

import re
from itertools import pairwise
from pathlib import Path

import yaml

from portal_app.local.servers.valkey import CONFIGURATION
from tests.support.sources import ROOT, tracked

COMMANDS = {"migrate", "web", "worker", "listener"}
DEPLOY = Path("deploy")


def units() -> dict[str, str]:
    return {path.stem: (ROOT / path).read_text() for path in tracked() if path.suffix == ".service"}


def test_every_unit_starts_the_command_it_is_named_after() -> None:
    started = {
        name: re.findall(r"^ExecStart=.* -m portal_app\.cli (\w+)$", text, re.M) for name, text in units().items()
    }
    assert started == {f"portal-{command}": [command] for command in COMMANDS}


def test_every_long_running_unit_comes_back_after_it_died() -> None:
    for name, text in units().items():
        assert ("Restart=always" in text) == (name != "portal-migrate")
        # But not where a setting is refused.
        assert ("RestartPreventExitStatus=78" in text) == (name != "portal-migrate")


def test_compose_runs_every_process_after_the_migrations() -> None:
    services = yaml.safe_load((ROOT / DEPLOY / "compose.yaml").read_text())["services"]
    assert set(services) == COMMANDS | {"postgres", "redis"}
    for command in COMMANDS - {"migrate"}:
        assert services[command]["command"] == [command]
        assert services[command]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_redis_is_bounded_and_forgets_only_what_ends_by_itself() -> None:
    words = yaml.safe_load((ROOT / DEPLOY / "compose.yaml").read_text())["services"]["redis"]["command"]
    given = dict(pairwise(words))
    assert given["--maxmemory-policy"] == "volatile-lru"
    assert "mb" in given["--maxmemory"]
    assert "maxmemory-policy volatile-lru" in CONFIGURATION
    assert re.search(r"^maxmemory \d+mb$", CONFIGURATION, re.M)


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / DEPLOY / "Dockerfile").read_text().splitlines()
    assert lines.index("USER portal") > lines.index("RUN useradd --system --uid 10001 --no-create-home portal")


def test_the_image_compiles_all_code_that_it_copies() -> None:
    _, _, stage = (ROOT / DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")
    copied, _, _ = stage.partition(
        "\nRUN python -m compileall -q --invalidation-mode unchecked-hash portal_app alembic\n"
    )
    assert copied != stage
    assert {"COPY portal_app portal_app", "COPY alembic alembic"} <= set(copied.splitlines())


def test_compose_overrules_what_a_container_cannot_have_from_the_settings_file() -> None:
    compose = yaml.safe_load((ROOT / DEPLOY / "compose.yaml").read_text())
    assert compose["secrets"] == {"salesforce_key": {"file": "${SF_PRIVATE_KEY_FILE:?}"}}
    for command in COMMANDS:
        service = compose["services"][command]
        assert service["secrets"] == ["salesforce_key"]
        environment = service["environment"]
        assert (environment["PORTAL_HOST"], environment["PORTAL_PORT"]) == ("0.0.0.0", 3000)
        assert environment["SF_PRIVATE_KEY_FILE"] == "/run/secrets/salesforce_key"
        assert {environment[name] for name in ("SMTP_HOST", "PORTAL_URL")} == {"${SMTP_HOST:?}", "${PORTAL_URL:?}"}
