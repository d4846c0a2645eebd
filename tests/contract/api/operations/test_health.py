"""Liveness, readiness, and the health of vendors and event streams."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from portal_app.api.operations.readiness import Readiness
from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.inbound_event import ReplayPosition
from portal_app.frontend_files import ROOT, client_folder, stamp_file, stamp_of
from portal_app.infra.database.schema import revisions
from portal_app.local.servers.valkey import CONFIGURATION
from portal_app.wiring.portal import Portal
from portal_app.wiring.portal import portal as portal_now
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import servers, world
from tests.support.vendors.outages import NO_DATABASE

MEMORY = re.findall(r"^(maxmemory\S*) (\S+)$", CONFIGURATION, re.M)
FULL_MEMORY = " ".join(["CONFIG SET", *(f"{name} {value}" for name, value in MEMORY)])
ALL_WELL = dict.fromkeys(("database", "schema", "redis", "frontend"), "ok")


OPERATORS = ("/api/health/lanes", "/api/health/sf-events", "/api/health/freebit")


@pytest.mark.parametrize("path", OPERATORS)
async def test_how_vendors_and_events_are_doing_is_told_to_operators_alone(
    visitor: Visitor, ben: Visitor, portal: Portal, path: str
) -> None:
    assert (await visitor.get_as_operator(path)).status_code == 200
    ours = world().settings.portal_operator_token.get_secret_value()
    for given in ("", "Bearer", "Bearer x", f"Basic {ours}", f"Bearer {ours}x", ours):
        answer = await ben.http.get(path, headers={"Authorization": given})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    async with instead_of(portal, world().settings_with(portal_operator_token=SecretStr(""))):
        for given in ("", "Bearer", "Bearer "):
            assert (await visitor.http.get(path, headers={"Authorization": given})).status_code == 404


async def test_a_living_process_is_live_and_ready(visitor: Visitor) -> None:
    assert (await visitor.get("/api/health/live")).json() == {"status": "ok"}
    answer = await visitor.get("/api/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", **ALL_WELL})


@pytest.mark.parametrize("path", ["/api/health/live", "/api/health/ready"])
async def test_a_load_balancer_may_ask_with_head(visitor: Visitor, path: str) -> None:
    answer, full = await visitor.http.head(path), await visitor.get(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == full.headers["content-length"]


async def test_a_missing_redis_is_named_and_the_process_stays_live(visitor: Visitor, portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(redis_url="redis://127.0.0.1:1/0")):
        ready, live = await visitor.get("/api/health/ready"), await visitor.get("/api/health/live")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "5")
    assert ready.json() == {
        **ALL_WELL,
        "status": "unavailable",
        "redis": "unavailable",
        "reasons": {"redis": "Redis does not answer"},
    }
    assert live.status_code == 200


async def test_a_missing_database_is_named(visitor: Visitor, portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(**NO_DATABASE)):
        answer = await visitor.get("/api/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "unavailable")
    assert answer.json()["reasons"] == {"database": "PostgreSQL does not answer"}


@pytest.mark.parametrize(
    ("revision", "reason"),
    [
        ("", "the database is empty or not ours to read: run portal migrate"),
        (revisions()[-2], f"is at revision {revisions()[-2]}, this code needs {revisions()[-1]}: run portal migrate"),
        ("9999", "is at revision 9999, this code needs"),
    ],
)
async def test_a_schema_of_another_version_is_not_ready_and_said_once(
    visitor: Visitor, portal: Portal, revision: str, reason: str
) -> None:
    url = servers().database("another_revision")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DELETE FROM alembic_version")
        if revision:
            owner.execute("INSERT INTO alembic_version VALUES (%s)", (revision,))
    with capture_logs() as logs:
        for _ in range(2):
            async with instead_of(portal, world().settings_with(database_url=url)):
                answer = await visitor.get("/api/health/ready")
    assert (answer.status_code, answer.json()["schema"]) == (503, "unavailable")
    assert reason in answer.json()["reasons"]["schema"]
    assert [line["part"] for line in logs if line["event"] == "ready.failed"] == ["schema"]


async def test_a_process_that_was_ready_stays_so_while_its_database_is_migrated_for_the_next(
    portal: Portal,
) -> None:
    readiness = Readiness(kept_seconds=0)
    url = servers().database("next_revision")
    async with instead_of(portal, world().settings_with(database_url=url)):
        before = await readiness.reasons()
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("UPDATE alembic_version SET version_num = '9999'")
        after = await readiness.reasons()
    assert (before["schema"], after["schema"]) == ("", "")


@pytest.mark.parametrize(
    ("change", "back", "reason"),
    [
        ("CONFIG SET maxmemory-policy noeviction maxmemory 1", FULL_MEMORY, "Redis is full"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "read-only replica"),
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0", "too few replicas"),
    ],
)
async def test_a_redis_that_takes_no_writes_is_not_ready(
    visitor: Visitor, portal: Portal, change: str, back: str, reason: str
) -> None:
    async with instead_of(portal, world().settings):
        await portal_now().redis.execute_command(*change.split())
        try:
            answer = await visitor.get("/api/health/ready")
        finally:
            await portal_now().redis.execute_command(*back.split())
    assert (answer.status_code, answer.json()["redis"]) == (503, "unavailable")
    assert reason in answer.json()["reasons"]["redis"]


@pytest.mark.parametrize(("stamp", "status"), [(stamp_of(ROOT), 200), ("other sources", 503), (None, 503)])
async def test_pages_that_are_not_built_from_this_code_are_not_ready(
    visitor: Visitor, portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stamp: str | None, status: int
) -> None:
    monkeypatch.setenv("__REFLEX_MOUNT_FRONTEND_COMPILED_APP", "true")
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    client_folder().mkdir(parents=True)
    if stamp:
        stamp_file(client_folder()).write_text(stamp)
    async with instead_of(portal, world().settings):
        assert (await visitor.get("/api/health/ready")).status_code == status


async def test_a_missing_database_signs_nobody_out(ben: Visitor, portal: Portal) -> None:
    await portal.redis.delete(f"session:{portal.identity.sessions.read_access_token(ben.cookie('access')).session_id}")
    async with instead_of(portal, world().settings_with(**NO_DATABASE)):
        answer = await ben.get("/api/me")
    assert (answer.status_code, answer.json()["code"]) == (503, "external_unavailable")
    assert answer.headers["retry-after"] and (await ben.get("/api/me")).status_code == 200


async def test_a_page_says_that_the_database_is_missing_and_leads_back_to_itself(ben: Visitor, portal: Portal) -> None:
    await portal.redis.delete(f"session:{portal.identity.sessions.read_access_token(ben.cookie('access')).session_id}")
    async with instead_of(portal, world().settings_with(**NO_DATABASE)):
        answer = await ben.get("/dashboard?x=%22%3E%3Cscript%3E")
        japanese = await ben.get("/ja/dashboard//evil.example/%5C%22")
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["cache-control"]) == (
        503,
        "5",
        "no-store",
    )
    assert 'href="/dashboard?x=%22%3E%3Cscript%3E"' in answer.text and "<script" not in answer.text
    assert '<html lang="ja">' in japanese.text and 'href="/ja/dashboard//evil.example/%5C%22"' in japanese.text
    assert (await ben.get("/dashboard")).status_code != 303


async def test_limiters_report_limits_counts_and_breakers_without_redis_for_this_process_only(
    visitor: Visitor, portal: Portal
) -> None:
    state = (await visitor.get_as_operator("/api/health/lanes")).json()
    assert state["status"] == "shared" and {"whmcs", "salesforce", "salesforce-long", "freebit"} <= set(state["lanes"])
    whmcs = state["lanes"]["whmcs"]
    assert whmcs["limits"]["concurrency"] == portal.settings.whmcs_concurrency and whmcs["breaker"] == "closed"
    async with instead_of(portal, world().settings_with(redis_url="redis://127.0.0.1:1/0")):
        alone = (await visitor.get_as_operator("/api/health/lanes")).json()
    assert alone["status"] == "this process alone" and not alone["lanes"]["whmcs"]["shared"]


async def test_salesforce_health_shows_position_and_listener(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    channel = f"/event/Unheard_{uuid4().hex}__e"
    async with instead_of(portal, world().settings_with(sf_provision_event_channel=channel)):
        await portal.redis.delete("listener:status")
        fresh = (await visitor.get_as_operator("/api/health/sf-events")).json()
        await worker.inbound.inbox.accept_batch([], ReplayPosition(channel, b"\x00\x12"))
        await portal.redis.set("listener:status", "connected", ex=30)
        heard = (await visitor.get_as_operator("/api/health/sf-events")).json()
    assert fresh == {
        "enabled": True,
        "channel": channel,
        "replay": {"lastReplayId": None},
        "subscriber": {"status": "unknown"},
    }
    assert (heard["replay"], heard["subscriber"]) == ({"lastReplayId": "0012"}, {"status": "connected"})


async def test_freebit_health_is_ok_unavailable_or_off(visitor: Visitor, portal: Portal) -> None:
    well = (await visitor.get_as_operator("/api/health/freebit")).json()
    assert well["status"] == "ok" and datetime.fromisoformat(well["answered_at"]) <= datetime.now(UTC)
    async with instead_of(portal, world().settings_with(freebit_url="http://127.0.0.1:1/emptool/api")) as other:
        with pytest.raises(ExternalUnavailable):
            await other.vendors.sims.line("07039990099")
        away = await visitor.get_as_operator("/api/health/freebit")
        await other.redis.delete("breaker:{freebit}")
    assert (away.status_code, away.json(), away.headers["retry-after"]) == (503, {"status": "unavailable"}, "5")
    async with instead_of(portal, world().settings_with(freebit_url="")):
        assert (await visitor.get_as_operator("/api/health/freebit")).json() == {"status": "off"}
