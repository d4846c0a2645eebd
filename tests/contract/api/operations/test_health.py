"""Liveness, readiness, and the health of vendors and event streams."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pydantic import SecretStr

from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.inbound_event import ReplayPosition
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import world
from tests.support.vendors.outages import NO_DATABASE

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
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok", "redis": "ok"})


@pytest.mark.parametrize("path", ["/api/health/live", "/api/health/ready"])
async def test_a_load_balancer_may_ask_with_head(visitor: Visitor, path: str) -> None:
    answer, full = await visitor.http.head(path), await visitor.get(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == full.headers["content-length"]


async def test_a_missing_redis_is_named_and_the_process_stays_live(visitor: Visitor, portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(redis_url="redis://127.0.0.1:1/0")):
        ready, live = await visitor.get("/api/health/ready"), await visitor.get("/api/health/live")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "5")
    assert ready.json() == {"status": "unavailable", "database": "ok", "redis": "unavailable"}
    assert live.status_code == 200


async def test_a_missing_database_is_named(visitor: Visitor, portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(**NO_DATABASE)):
        answer = await visitor.get("/api/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "unavailable")


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
