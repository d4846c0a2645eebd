"""What no restart corrects ends a process with 78, and the log names the setting."""

import socket
from pathlib import Path
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from portal_app.infra.checks.check import Process
from portal_app.infra.database.schema import revisions
from portal_app.infra.settings import Settings
from portal_app.jobs.preflight import refuse_if_useless, start_checks
from tests.support.running.world import servers


def settings_with(**changes: Any) -> Settings:
    return Settings(portal_env="development", **changes)


def begin(settings: Settings, process: Process, group: str) -> None:
    """Run those checks of a process's start that belong to a group."""
    refuse_if_useless([each for each in start_checks(settings, process) if each.name.startswith(group)])


def refusals_of(settings: Settings, process: Process, group: str) -> list[tuple[str, str]]:
    """Return what the checks say before they end the process."""
    with capture_logs() as logs, pytest.raises(SystemExit) as ended:
        begin(settings, process, group)
    assert ended.value.code == 78
    return [(line["setting"], line["must"]) for line in logs if line["event"] == "start.refused"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"portal_key_current": 9}, "no key 9"),
        ({"portal_keys": "1:not-base64-of-this-secret"}, "key 1 is not 32 bytes"),
        ({"portal_keys": "not-even-an-id-of-this-secret"}, "not id:base64"),
    ],
)
def test_a_key_ring_that_does_not_fit_is_refused_without_its_keys(changes: dict[str, Any], reason: str) -> None:
    ((setting, must),) = refusals_of(settings_with(**changes), "listener", "machine.keys")
    assert setting == "PORTAL_KEYS" and reason in must and "secret" not in must


def test_pages_that_are_not_built_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    ((setting, must),) = refusals_of(settings_with(), "web", "machine.pages")
    assert setting == "REFLEX_WEB_WORKDIR" and str(tmp_path) in must


def test_a_port_that_another_process_serves_is_refused_though_it_lets_others_share_it() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        port = other.getsockname()[1]
        ((setting, must),) = refusals_of(settings_with(portal_port=port), "web", "machine.port")
    assert setting == "PORTAL_PORT" and f"127.0.0.1:{port}" in must
    begin(settings_with(portal_port=port), "web", "machine.port")


@pytest.mark.parametrize(
    ("changes", "settings", "reason"),
    [
        ({"database_web_url": "{server}/nowhere"}, ["DATABASE_WEB_URL"], 'database "nowhere" does not exist'),
        (
            {"database_identity_url": "postgresql://nobody@{host}/portal"},
            ["DATABASE_IDENTITY_URL"],
            'role "nobody" does not exist',
        ),
    ],
)
def test_what_postgresql_refuses_for_good_is_refused_in_its_words(
    changes: dict[str, str], settings: list[str], reason: str
) -> None:
    url = servers().postgres.url()
    place = {"server": url.rpartition("/")[0], "host": url.rpartition("@")[2].rpartition("/")[0]}
    given = {name: value.format(**place) for name, value in changes.items()}
    found = refusals_of(settings_with(database_url=url, **given), "web", "database")
    assert [name for name, _ in found] == settings and all(reason in must for _, must in found)


def test_a_server_that_is_away_is_waited_for() -> None:
    begin(settings_with(database_url="postgresql://portal@127.0.0.1:1/portal"), "worker", "database")


@pytest.mark.parametrize("revision", [None, revisions()[0]])
def test_a_worker_refuses_a_schema_that_is_behind_and_a_web_process_says_so_later(revision: str | None) -> None:
    url = servers().database("preflight")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DELETE FROM alembic_version")
        if revision:
            owner.execute("INSERT INTO alembic_version VALUES (%s)", (revision,))
    settings = settings_with(database_url=url)
    ((setting, must),) = refusals_of(settings, "worker", "database")
    assert setting == "DATABASE_WORKER_URL" and "run portal migrate" in must.lower()
    begin(settings, "web", "database")
