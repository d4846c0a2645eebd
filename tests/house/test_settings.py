"""Settings: all described, their documents true, and careless production impossible."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from portal_app.infra.settings import Settings
from portal_app.infra.settings_document import GROUPS, REQUIRED, documents, env_example
from portal_app.infra.settings_identity import DEVELOPMENT_SECRET
from tests.support.needed_settings import SECRETS, needed
from tests.support.sources import ROOT


def test_every_setting_is_described_in_one_sentence_and_has_a_group() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert len(field.description) < 110, name
        assert "|" not in field.description, name
        assert name.partition("_")[0] in GROUPS, name


def test_the_example_file_and_the_page_of_settings_are_up_to_date() -> None:
    for path, text in documents().items():
        assert path.read_text() == text, f"run: python -m portal_app.infra.settings_document ({path.name})"


def test_the_example_file_holds_no_secret() -> None:
    example = env_example()
    assert DEVELOPMENT_SECRET not in example
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, SecretStr):
            assert re.search(rf"^#?{name.upper()}=$", example, re.M), name


def test_the_example_file_sets_nothing_but_what_must_be_filled_in() -> None:
    values = dotenv_values(stream=io.StringIO(env_example()))
    assert values == dict.fromkeys((name.upper() for name in REQUIRED), "")
    written = set(re.findall(r"^#?([A-Z_]+)=", env_example(), re.M))
    assert written == {name.upper() for name in Settings.model_fields}


def test_everything_that_production_refuses_at_its_default_must_be_filled_in() -> None:
    assert set(needed()) - {"portal_env"} <= set(REQUIRED)


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    unset = Settings(**needed())
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert Settings(**needed()) == unset


def test_a_list_that_shall_be_empty_says_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SF_CHANGE_CHANNELS", "none")
    monkeypatch.setenv("FREEBIT_SUCCESS_STATUS", "none")
    settings = Settings(**needed())
    assert (settings.sf_change_channels, settings.freebit_success_status) == ("", "")


@pytest.mark.parametrize(
    "module", ["jobs.web", "jobs.worker", "jobs.listener", "jobs.admin.orders", "infra.database.migrate"]
)
def test_an_empty_folder_for_figures_is_none_and_nothing_is_written(module: str, tmp_path: Path) -> None:
    variables = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": "", "PORTAL_ENV": "development", "PYTHONPATH": str(ROOT)}
    program = f"import portal_app.{module}, portal_app.infra.metrics as m; m.set_clock_ahead(1.0)"
    subprocess.run([sys.executable, "-c", program], env=variables, cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []


def test_production_starts_with_secrets_of_its_own() -> None:
    assert Settings(**needed()).is_secure


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", [None, "short"])
def test_production_refuses_a_default_or_short_secret_and_does_not_show_it(name: str, value: str | None) -> None:
    given = needed()
    given[name] = value or Settings.model_fields[name].default.get_secret_value()
    with pytest.raises(ValidationError, match=name.upper()) as caught:
        Settings(**given)
    assert given[name] not in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS.values())


def test_an_unset_environment_means_production() -> None:
    clean = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    clean.pop("PORTAL_ENV_FILE", None)
    program = "from portal_app.infra.settings import Settings; Settings()"
    done = subprocess.run([sys.executable, "-c", program], env=clean, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "in production" in done.stderr


@pytest.mark.parametrize(
    "url",
    ["http://portal.example.jp", "https://portal.example.jp/", "https://portal.example.jp/x", "https://Portal.jp", ""],
)
def test_an_address_that_would_weaken_cookies_or_origins_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="portal_url"):
        Settings(portal_env="development", portal_url=url)


@pytest.mark.parametrize("url", ["http://localhost:3000", "http://127.0.0.1:8000", "https://portal.example.jp:8443"])
def test_https_and_this_machine_are_fine(url: str) -> None:
    assert Settings(portal_env="development", portal_url=url).allowed_origins == (url,)


def test_a_limit_that_makes_no_sense_refuses_to_start() -> None:
    with pytest.raises(ValidationError, match="portal_sign_in_limit"):
        Settings(portal_env="development", portal_sign_in_limit="10/minut")


def test_roles_reach_the_same_database_under_names_of_their_own() -> None:
    settings = Settings(
        portal_env="development",
        database_url="postgresql://portal:pw@db:5432/portal",
        database_web_url="",
        database_worker_url="postgresql://w:x@db/portal",
    )
    assert settings.database_url_for("owner") == "postgresql+psycopg://portal:pw@db:5432/portal"
    assert settings.database_url_for("web") == "postgresql+psycopg://portal_web@db:5432/portal"
    assert settings.database_url_for("worker") == "postgresql+psycopg://w:x@db/portal"
