"""What production refuses: each setting by name with what to set, all at once, and never its value."""

import os
import subprocess
import sys
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from portal_app.infra.production import PUBLISHED, is_random_secret
from portal_app.infra.settings import Settings
from portal_app.infra.start import refusals
from tests.support.needed_settings import SECRETS, needed
from tests.support.sources import ROOT

DEVELOPMENT_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_KEY = SECRETS["portal_keys"].partition(":")[2]
REFUSED: list[dict[str, Any]] = [
    {"portal_keys": f"2:{DEVELOPMENT_KEY}"},
    {"portal_keys": f"{SECRETS['portal_keys']},2:{DEVELOPMENT_KEY}"},
    {"portal_keys": "1:" + "A" * 43 + "="},
    {"portal_keys": "1:" + "QUJD" * 10 + "QUE="},
    {"portal_keys": "no key at all, whatever it is"},
    {"portal_keys": OTHER_KEY},
    {"portal_keys": f"1:{OTHER_KEY},1:{DEVELOPMENT_KEY}"},
    {"portal_keys": f"1:{OTHER_KEY},2:{OTHER_KEY}"},
    {"portal_key_current": 9},
    {"jwt_secret": PUBLISHED[0]},
    {"jwt_secret": f"{PUBLISHED[0]}x"},
    {"jwt_secret": f" {PUBLISHED[0].upper()} "},
    {"jwt_secret": "x" * 64},
    {"jwt_secret": "0123456789abcdef" * 4},
    {"portal_pepper": SECRETS["jwt_secret"]},
    {"jwt_refresh_secret": "short"},
    {"portal_operator_token": "operator"},
    {"portal_operator_token": SECRETS["jwt_secret"]},
    {"bcrypt_rounds": 4},
    {"portal_lock_tries": 1_000_000},
    {"portal_code_attempts": 1_000_000},
    {"portal_access_seconds": 365 * 86400},
    {"portal_url": "http://localhost:3000"},
    {"portal_url": "https://localhost:3000"},
    {"portal_trusted_proxies": 0},
    {"portal_trusted_proxies": -1},
    {"portal_passkey_rp_id": "example.org"},
    {"portal_passkey_rp_id": "jp"},
    {"portal_log_level": "LOUD"},
    {"freebit_rate": "often"},
    {"portal_accepted_risks": "everything"},
    {"database_web_url": "postgresql://portal_web@db/portal"},
    {"redis_url": "redis://cache:6379/0"},
    {"smtp_start_tls": False, "smtp_host": "mail.example.jp"},
    {"smtp_start_tls": False, "smtp_password": "of-mail"},
    {"portal_mail_from": "Portal <no-reply@example.jp>"},
    {"whmcs_url": ""},
    {"whmcs_url": "http://whmcs.example.jp"},
    {"whmcs_api_url": "http://whmcs.example.jp/includes/api.php"},
    {"whmcs_webhook_secrets": "key:x"},
    {"whmcs_webhook_secrets": f"key:{PUBLISHED[1]}"},
    {"whmcs_webhook_secrets": f"key:{SECRETS['jwt_secret']}"},
    {"sf_login_url": "http://login.salesforce.com"},
    {"sf_private_key_file": "/no/such/file"},
    {"sf_private_key_file": "/"},
    {"portal_pricebook_id": " "},
    {"freebit_url": "http://freebit.example.jp", "freebit_client_id": "id", "freebit_client_secret": "secret"},
    {"freebit_client_id": "", "freebit_url": "https://freebit.example.jp", "freebit_client_secret": "secret"},
]
ACCEPTED: list[dict[str, Any]] = [
    {},
    {"portal_trusted_proxies": 0, "portal_accepted_risks": "no-proxy"},
    {"smtp_host": "10.0.0.5", "portal_accepted_risks": " plain-mail , no-proxy"},
    {"smtp_host": "mail.example.jp", "smtp_start_tls": True, "smtp_password": "of-mail"},
    {"smtp_host": "mail.example.jp", "smtp_port": 465, "smtp_tls": True},
    {"portal_passkey_rp_id": "example.jp"},
    {"database_url": "postgresql:///portal?host=/var/run/postgresql"},
    {"database_web_url": "postgresql://portal_web:pw@db/portal"},
    {"redis_url": "unix:///run/redis.sock"},
    {"redis_url": "rediss://:pw@cache:6379/0"},
    {"whmcs_url": "http://127.0.0.1:8080/whmcs"},
    {"whmcs_webhook_secrets": f"a:{'Zk3_' + SECRETS['jwt_secret'][::-1]},b:{SECRETS['portal_pepper'][::-1]}"},
    {
        "portal_keys": f"{SECRETS['portal_keys']},7:qL2xZk0m4Tt6Rr8Yy1Uu3Ii5Oo7Pp9Aa0Ss2Dd4Ff6k=",
        "portal_key_current": 7,
    },
]


@pytest.mark.parametrize("wrong", REFUSED, ids=[f"{number} {next(iter(each))}" for number, each in enumerate(REFUSED)])
def test_production_refuses_a_setting_by_its_name_and_does_not_show_its_value(wrong: dict[str, Any]) -> None:
    name, value = next(iter(wrong.items()))
    given = {**needed(), **wrong}
    with pytest.raises(ValidationError) as caught:
        Settings(**given)
    found = refusals(caught.value, **given)
    assert [each.setting for each in found] == [name.upper()]
    if isinstance(Settings.model_fields[name].default, SecretStr):
        assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    "given", ACCEPTED, ids=[f"{number} {next(iter(each), '')}" for number, each in enumerate(ACCEPTED)]
)
def test_production_accepts_what_is_safe_and_what_an_operator_accepts_by_name(given: dict[str, Any]) -> None:
    assert Settings(**{**needed(), **given}).portal_env == "production"


def test_random_secrets_of_all_usual_alphabets_are_accepted() -> None:
    for secret in (os.urandom(16).hex(), os.urandom(32).hex(), *SECRETS.values()):
        assert is_random_secret(secret)


@pytest.mark.parametrize("role", ["web", "worker", "listener"])
def test_a_process_says_all_that_is_wrong_at_once_and_ends_with_78(role: str) -> None:
    given = {name.upper(): str(value) for name, value in needed().items()}
    wrong = {"PORTAL_ACCESS_SECONDS": "999999", "JWT_SECRET": "short-and-secret", "BCRYPT_ROUNDS": "5"}
    clean = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    clean.pop("PORTAL_ENV_FILE", None)
    done = subprocess.run(
        [sys.executable, "-m", f"portal_app.jobs.{role}"],
        env={**clean, **given, **wrong, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 78
    lines = done.stderr.splitlines()
    assert len(lines) == 3 and all(line.startswith("{") and '"event": "start.refused"' in line for line in lines)
    assert all(any(f'"setting": "{name}"' in line for line in lines) for name in wrong)
    assert "short-and-secret" not in done.stderr
