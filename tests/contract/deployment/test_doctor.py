"""`portal doctor`: each wrong setting and each situation gives its line; a machine that fits gives none."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from portal_app.frontend_files import ROOT, stamp_file, stamp_of
from portal_app.infra.checks.check import Check, Outcome, Problem, Unfit, run_checks
from portal_app.infra.database.schema import revisions
from portal_app.infra.settings import Settings
from portal_app.integrations.checks.build import vendor_checks
from portal_app.integrations.checks.whmcs import OurRecords
from portal_app.jobs.admin.doctor import diagnose, exit_code, report
from sandbox.faults import FaultSettings
from tests.support.running.vendor_servers import RunningSandbox, redis, redis_url, sandbox
from tests.support.running.world import servers
from tests.support.vendors.fake_clamd import fake_clamd
from tests.support.vendors.scripted_server import ScriptedServer, http, scripted_server
from tests.support.waiting import LONGEST_SECONDS

__all__ = ["redis", "redis_url", "sandbox"]
LIVE = http({"status": "ok"}, Connection="close")
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages as they are built from this code."""
    folder = tmp_path_factory.mktemp("web")
    client = folder / "build" / "client"
    client.mkdir(parents=True)
    (client / "404.html").write_text("")
    stamp_file(client).write_text(stamp_of(ROOT))
    return folder


@pytest.fixture
def fit(
    sandbox: RunningSandbox, built: Path, redis_url: str, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings of a machine that fits, but that no portal runs behind its address."""
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(built))
    given = {"database_url": servers().postgres.url(), "redis_url": redis_url, "portal_port": 0}
    return sandbox.settings.model_copy(update={**given, "portal_url": f"http://127.0.0.1:{closed_port}"})


@pytest.fixture
async def proxy() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as server:
        yield server


@pytest.fixture
def faults(sandbox: RunningSandbox) -> Iterator[Any]:
    """Set a vendor's faults; it is well again afterwards."""
    changed: set[Any] = set()

    def change(vendor: Any, **wanted: Any) -> None:
        changed.add(vendor)
        sandbox.faults.set(vendor, FaultSettings(**wanted))

    yield change
    for vendor in changed:
        sandbox.faults.set(vendor, FaultSettings())


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    """A port where nobody listens, and that nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


async def outcome_of(settings: Settings, name: str) -> Outcome:
    found = await diagnose(settings, only=[name], seconds=LONGEST_SECONDS)
    return next(each for each in found if each.name == name)


def text_of(outcome: Outcome) -> str:
    return " ".join(f"{each.setting}: {each.wrong} {each.do}" for each in outcome.problems)


async def test_a_machine_that_fits_has_no_failed_check_and_nothing_is_changed(
    fit: Settings, proxy: ScriptedServer, sandbox: RunningSandbox
) -> None:
    proxy.script(LIVE, LIVE, UPGRADED)
    before = {kind: sandbox.store.all(f"whmcs.{kind}") for kind in ("client", "order", "invoice", "service", "user")}
    found = await diagnose(fit.model_copy(update={"portal_url": proxy.url}), seconds=LONGEST_SECONDS)
    assert [text_of(each) for each in found if each.status in ("failed", "skipped")] == []
    assert len(found) >= 38 and exit_code(found) == 0
    assert {kind: sandbox.store.all(f"whmcs.{kind}") for kind in before} == before


# Which settings are wrong, which check says so, and words of its line. {name} is a place of this test.
WRONG_SETTINGS: list[tuple[dict[str, Any], str, str]] = [
    ({"portal_keys": SecretStr("1:short")}, "machine.keys", "key 1 is not 32 bytes"),
    ({"portal_key_current": 9}, "machine.keys", "no key 9"),
    ({"sf_ca_file": "/nowhere/ca.pem"}, "machine.ca", "SF_CA_FILE names no file"),
    ({"prometheus_multiproc_dir": "/proc/nowhere"}, "machine.figures", "cannot be written"),
    ({"portal_connections": 10**8}, "machine.files", "LimitNOFILE"),
    ({"database_web_url": "{server}/nowhere"}, "database.web", 'database "nowhere" does not exist'),
    ({"database_identity_url": "{role_nobody}"}, "database.identity", "deploy/create_roles.sh"),
    ({"database_web_url": "{owner}"}, "database.web", "each customer could read all rows"),
    ({"database_web_url": "{role_worker}"}, "database.web", "may read users"),
    (
        {"database_worker_url": "postgresql://portal_worker@127.0.0.1:{closed}/portal"},
        "database.worker",
        "host and port",
    ),
    ({"portal_web_workers": 64}, "database.connections", "max_connections"),
    ({"redis_url": "redis://127.0.0.1:{closed}/0"}, "redis.reached", "Start it, or correct REDIS_URL"),
    ({"whmcs_api_secret": SecretStr("wrong")}, "whmcs.api", "WHMCS_API_IDENTIFIER and WHMCS_API_SECRET"),
    ({"whmcs_api_url": "http://127.0.0.1:{closed}/api.php"}, "whmcs.api", "Nobody answers at WHMCS_API_URL"),
    ({"whmcs_api_url": "{whmcs}/includes/nowhere.php"}, "whmcs.api", "HTTP 404"),
    ({"whmcs_api_url": "whmcs.example.jp"}, "whmcs.api", "is not an address"),
    ({"whmcs_url": "{whmcs}/nowhere"}, "whmcs.site", "clientarea.php answers HTTP 404"),
    ({"whmcs_currency": "EUR"}, "whmcs.currency", "no currency named EUR; it has JPY"),
    ({"whmcs_payment_method": "cash"}, "whmcs.gateway", "no payment gateway switched on named cash"),
    ({"whmcs_reference_field": "Nothing"}, "whmcs.products", "no custom field named Nothing"),
    ({"whmcs_webhook_secrets": SecretStr("")}, "whmcs.bridge", "portal_bridge.php"),
    ({"sf_client_id": "wrong"}, "salesforce.login", "Correct SF_CLIENT_ID"),
    ({"sf_username": "nobody@example.jp"}, "salesforce.login", "pre-authorise the user"),
    ({"sf_private_key_file": "/nowhere/key.pem"}, "salesforce.login", "FileNotFoundError"),
    ({"sf_audience": "https://elsewhere.example"}, "salesforce.login", "Set SF_AUDIENCE"),
    ({"sf_login_url": "{https}", "sf_ca_file": ""}, "salesforce.login", "does not trust the certificate"),
    ({"sf_api_version": "99.0"}, "salesforce.version", "Correct SF_API_VERSION"),
    ({"portal_pricebook_id": "01s000000000009AAA"}, "salesforce.pricebook", "no price book 01s000000000009AAA"),
    ({"sf_provision_event_channel": "/event/Nothing__e"}, "salesforce.topics", "no topic /event/Nothing__e"),
    ({"sf_change_channels": "/data/NothingChangeEvent"}, "salesforce.topics", "SF_CHANGE_CHANNELS"),
    ({"sf_pubsub_endpoint": "127.0.0.1:{closed}"}, "salesforce.topics", "SF_PUBSUB_ENDPOINT"),
    ({"sf_pubsub_ca_file": ""}, "salesforce.topics", "SF_PUBSUB_CA_FILE"),
    ({"freebit_client_secret": SecretStr("wrong")}, "freebit.login", "FREEBIT_CLIENT_SECRET"),
    ({"freebit_url": "{whmcs}/nowhere"}, "freebit.login", "up to /emptool/api"),
    ({"smtp_port": "{closed}"}, "mail.server", "SMTP_HOST and SMTP_PORT"),
    ({"smtp_start_tls": True}, "mail.server", "offers no STARTTLS"),
    ({"smtp_tls": True}, "mail.server", "Port 465 needs SMTP_TLS"),
    ({"smtp_username": "u", "smtp_password": SecretStr("p")}, "mail.server", "SMTP_USERNAME and SMTP_PASSWORD"),
    ({"portal_clamd": "127.0.0.1:{closed}"}, "scanner.clamd", "Start clamd"),
    ({"portal_url": "http://127.0.0.1:{closed}"}, "address.reached", "Start the proxy"),
    ({"portal_url": "{https}"}, "address.reached", "does not trust the certificate"),
    ({"portal_port": "{taken}"}, "machine.port", "cannot be bound"),
]


@pytest.mark.parametrize(
    ("changes", "name", "words"), WRONG_SETTINGS, ids=[f"{case[1]}: {case[2]}" for case in WRONG_SETTINGS]
)
async def test_a_wrong_setting_gives_its_line(
    fit: Settings, proxy: ScriptedServer, closed_port: int, *, changes: dict[str, Any], name: str, words: str
) -> None:
    server, owner = fit.database_url.rpartition("/")[0], fit.database_url
    place = {
        "server": server.replace("portal@", "portal_web@"),
        "owner": owner,
        "role_nobody": owner.replace("portal@", "nobody@"),
        "role_worker": owner.replace("portal@", "portal_identity@"),
        "closed": closed_port,
        "taken": proxy.port,
        "whmcs": fit.whmcs_url,
        "https": fit.sf_login_url if fit.sf_login_url.startswith("https") else "",
    }
    proxy.script(http(b"another program", 404, Connection="close"))
    given = {key: value.format(**place) if isinstance(value, str) else value for key, value in changes.items()}
    given |= {key: int(given[key]) for key in ("smtp_port", "portal_port") if key in given}
    found = await outcome_of(fit.model_copy(update=given), name)
    assert words in text_of(found), text_of(found) or found
    assert found.status in ("failed", "warning")


async def outcomes_with(settings: Settings, faults: Any, vendor: str, name: str, **special: int) -> str:
    faults(vendor, special=special)
    return text_of(await outcome_of(settings, name))


async def test_what_vendors_refuse_gives_its_line(fit: Settings, faults: Any) -> None:
    without_key = fit.model_copy(update={"whmcs_access_key": SecretStr("")})
    said = await outcomes_with(without_key, faults, "whmcs", "whmcs.api", foreign_ip=-1)
    assert "it sees the address 203.0.113.9" in said and "WHMCS_ACCESS_KEY" in said
    said = await outcomes_with(fit, faults, "whmcs", "whmcs.role", forbid_getpaymethods=-1, forbid_addorder=-1)
    assert "does not allow AddOrder, GetPayMethods." in said
    said = await outcomes_with(fit, faults, "salesforce", "salesforce.limits", requests_used=85_000)
    assert "background work waits" in said
    said = await outcomes_with(fit, faults, "salesforce", "salesforce.limits", requests_used=96_000)
    assert "orders wait" in said
    faults("whmcs", down=True)
    found = await outcome_of(fit, "whmcs.role")
    assert (found.status, found.detail) == ("skipped", "not looked at: see WHMCS: credentials and address")


async def test_a_database_that_is_behind_or_empty_says_so(fit: Settings) -> None:
    behind = fit.model_copy(update={"database_url": servers().database("doctor")})
    with psycopg.connect(behind.database_url, autocommit=True) as owner:
        owner.execute("UPDATE alembic_version SET version_num = %s", (revisions()[0],))
        assert "run portal migrate" in text_of(await outcome_of(behind, "database.schema")).lower()
        owner.execute("UPDATE alembic_version SET version_num = 'of-tomorrow'")
        assert "version of the portal that migrated it" in text_of(await outcome_of(behind, "database.schema"))
        owner.execute("DELETE FROM alembic_version")
        assert "The database is empty" in text_of(await outcome_of(behind, "database.schema"))


async def test_a_redis_user_with_a_wrong_password_or_too_few_rights_says_so(fit: Settings, redis: Redis) -> None:
    await redis.execute_command("ACL", "SETUSER", "narrow", "on", ">secret", "~*", "&*", "+@all", "-config", "-info")
    place = fit.redis_url.rpartition("@")[2]
    wrong = fit.model_copy(update={"redis_url": f"redis://narrow:wrong@{place}"})
    narrow = fit.model_copy(update={"redis_url": f"redis://narrow:secret@{place}"})
    try:
        assert "Correct user and password in REDIS_URL" in text_of(await outcome_of(wrong, "redis.reached"))
        assert "notify-keyspace-events" in text_of(await outcome_of(narrow, "redis.events"))
        assert "Allow +info" in text_of(await outcome_of(narrow, "redis.fit"))
    finally:
        await redis.execute_command("ACL", "DELUSER", "narrow")


async def test_pages_that_are_missing_or_of_another_version_say_so(
    fit: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    assert "No built pages" in text_of(await outcome_of(fit, "machine.pages"))
    client = tmp_path / "build" / "client"
    client.mkdir(parents=True)
    (client / "404.html").write_text("")
    assert "built from other sources" in text_of(await outcome_of(fit, "machine.pages"))


@pytest.mark.parametrize(
    ("answers", "name", "words"),
    [
        ([http(b"", 502, Connection="close")], "address.portal", "finds no portal behind it"),
        ([http(b"welcome", 200, Connection="close")], "address.portal", "does not lead to the portal"),
        ([LIVE, LIVE, http(b"", 400, Connection="close")], "address.sockets", "pass Upgrade and Connection on"),
        ([LIVE, LIVE, http(b"", 403, Connection="close")], "address.sockets", "refuses the origin"),
        ([b""], "address.reached", "Nobody answers at PORTAL_URL"),
    ],
)
async def test_a_proxy_that_does_not_fit_gives_its_line(
    fit: Settings, proxy: ScriptedServer, answers: list[bytes], name: str, words: str
) -> None:
    proxy.script(*answers)
    assert words in text_of(await outcome_of(fit.model_copy(update={"portal_url": proxy.url}), name))


async def test_our_own_web_process_at_its_port_is_no_fault(fit: Settings, proxy: ScriptedServer) -> None:
    proxy.script(LIVE)
    found = await outcome_of(fit.model_copy(update={"portal_port": proxy.port}), "machine.port")
    assert found.status == "ok" and "a web process of the portal serves" in found.detail


@pytest.mark.parametrize("answer", [b"", b"220 mail.example.jp ESMTP\r\n\r\n"])
async def test_a_program_at_the_port_that_speaks_no_http_is_told_as_such(
    fit: Settings, proxy: ScriptedServer, answer: bytes
) -> None:
    proxy.script(answer)
    found = await outcome_of(fit.model_copy(update={"portal_port": proxy.port}), "machine.port")
    assert found.status == "failed" and "ss -ltnp" in text_of(found), found


async def test_clamd_is_asked_whether_it_finds_the_test_file(fit: Settings) -> None:
    async with fake_clamd() as address:
        found = await outcome_of(fit.model_copy(update={"portal_clamd": address}), "scanner.clamd")
        assert (found.status, found.detail) == ("ok", "ClamAV 1.0.7")
    async with fake_clamd(finds=False) as address:
        found = await outcome_of(fit.model_copy(update={"portal_clamd": address}), "scanner.clamd")
        assert "EICAR test file clean" in text_of(found)


@pytest.mark.parametrize(
    ("field", "client", "status", "words"),
    [
        (198, 1, "ok", ""),
        (7, 1, "failed", "no custom field with the id 7"),
        (7, None, "ok", ""),
        (198, 999_999, "warning", "WHMCS has no client 999999"),
    ],
)
async def test_the_field_of_the_customer_number_is_looked_for_at_a_client_of_ours(
    fit: Settings, field: int, client: int | None, status: str, words: str
) -> None:
    settings = fit.model_copy(update={"whmcs_customer_number_field": field})

    async def any_client() -> int | None:
        return client

    async def last_hook() -> datetime | None:
        return None

    async with vendor_checks(settings, OurRecords(any_client, last_hook)) as checks:
        (found,) = await run_checks([each for each in checks if each.name == "whmcs.number_field"])
    assert words in text_of(found) and found.status == status


async def test_each_check_has_its_own_deadline_and_a_broken_one_hides_no_other() -> None:
    async def hangs() -> str:
        await asyncio.Event().wait()
        return ""

    async def breaks() -> str:
        raise KeyError("x")

    async def warns() -> str:
        raise Unfit(Problem("Slow.", "Wait.", is_warning=True))

    async def well() -> str:
        return "seen"

    found = await run_checks([
        Check("a.hangs", "A", hangs, seconds=0.01), Check("b.breaks", "B", breaks), Check("c.warns", "C", warns),
        Check("d.well", "D", well, after=("c.warns",)), Check("e.after", "E", well, after=("a.hangs",)),
    ])  # fmt: skip
    assert [each.status for each in found] == ["failed", "failed", "warning", "ok", "skipped"]
    assert "no answer within 0.01 s" in text_of(found[0]) and "KeyError" in text_of(found[1])
    told = json.loads(report(found, as_json=True))
    assert told["status"] == "failed" and told["checks"][2]["problems"][0]["do"] == "Wait."
    assert "WRONG    A" in report(found, as_json=False) and exit_code(found) == 1 and exit_code(found[2:4]) == 0


@pytest.mark.parametrize(
    ("module", "environment", "code", "words"),
    [
        (
            ["portal_app.cli", "doctor"],
            {"PORTAL_ENV": "production"},
            78,
            "must be the https address that customers use",
        ),
        (["portal_app.jobs.admin.doctor"], {"PORTAL_ENV": "development", "PORTAL_KEY_CURRENT": "9"}, 1, "no key 9"),
    ],
)
def test_the_command_ends_with_78_for_settings_and_with_1_for_a_fault(
    module: list[str], environment: dict[str, str], code: int, words: str
) -> None:
    command = [sys.executable, "-W", "ignore", "-m", *module, "--only", "machine.keys", "--json"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    ended = subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    assert words in ended.stdout and json.loads(ended.stdout)["status"] in ("refused", "failed")
