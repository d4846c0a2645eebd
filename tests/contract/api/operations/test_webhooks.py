"""The WHMCS bridge's events: taken once, acknowledged in every case that needs no repeat."""

from uuid import uuid4

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from portal_app.infra.log import rare_log
from portal_app.infra.redis.rate_limit import LocalLimits
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.clients.webhook_calls import deliver, inbox_of
from tests.support.running.world import world


async def test_a_new_event_is_stored_with_its_workflow(visitor: Visitor, worker: Portal) -> None:
    delivery = str(uuid4())
    answer = await deliver(visitor, delivery, data={"invoice_id": 1})
    assert (answer.status_code, answer.json()) == (202, {"result": "accepted"})
    assert (await inbox_of(worker, delivery)).data == {"invoice_id": 1}
    assert await worker.queue.status(f"event-whmcs-{delivery}") == "ENQUEUED"


async def test_an_unused_event_is_acknowledged_and_not_stored(visitor: Visitor, worker: Portal) -> None:
    delivery = str(uuid4())
    answer = await deliver(visitor, delivery, kind="TicketOpen")
    assert (answer.status_code, answer.json()) == (200, {"result": "ignored"})
    assert await inbox_of(worker, delivery) is None


async def test_a_second_secret_is_accepted_during_rotation(visitor: Visitor, portal: Portal) -> None:
    both = SecretStr("old:first-secret,new:second-secret")
    async with instead_of(portal, world().settings_with(whmcs_webhook_secrets=both)):
        for key, secret in (("old", b"first-secret"), ("new", b"second-secret")):
            assert (await deliver(visitor, str(uuid4()), key=key, secret=secret)).status_code == 202


async def test_without_a_secret_the_route_is_off(visitor: Visitor, portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(whmcs_webhook_secrets=SecretStr(""))):
        assert (await deliver(visitor, str(uuid4()))).status_code == 404


async def test_a_refused_delivery_leaves_its_reason_in_the_log_but_not_as_often_as_it_is_sent(
    visitor: Visitor, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests of this process may have used the line's share of this minute.
    monkeypatch.setattr(rare_log, "_limits", LocalLimits())
    with capture_logs() as logs:
        for _ in range(20):
            assert (await deliver(visitor, str(uuid4()), secret=b"of-nobody")).status_code == 401
        await deliver(visitor, str(uuid4()), age=3600)
    reasons = [line["reason"] for line in logs if line["event"] == "webhook.refused"]
    assert set(reasons) == {"webhook: wrong signature", "webhook: outside the time window"} and len(reasons) < 10
