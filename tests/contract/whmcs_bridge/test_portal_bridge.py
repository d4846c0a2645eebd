"""The bridge's outbox, retries and signatures (WHMCS fact sheet 3.2), run by PHP."""

import json
from datetime import UTC, datetime

import pytest

from portal_app.services.inbound.whmcs_hooks import HOOKS
from portal_app.wiring.portal import Portal
from sandbox.whmcs.bridge import BRIDGED
from tests.contract.whmcs_bridge.conftest import Whmcs
from tests.support.clients.webhook_calls import inbox_of
from tests.support.vendors.hook_receiver import Receiver, is_signed

PAID = ("InvoicePaid", {"invoiceid": 31, "invoice": {"total": "2750.00", "notes": "private"}})


def minutes_until(moment: str) -> float:
    """Return the minutes until a UTC time of the outbox."""
    then = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return (then - datetime.now(UTC)).total_seconds() / 60


async def test_a_paid_invoice_becomes_work_at_the_portal(whmcs: Whmcs, webhook: str, worker: Portal) -> None:
    whmcs.configure(webhook)
    await whmcs.request(PAID)
    [row] = whmcs.outbox()
    assert (row["event"], row["attempts"], row["last_error"]) == ("InvoicePaid", 1, "")
    assert row["delivered_at"] is not None
    inbox = await inbox_of(worker, row["event_id"])
    assert inbox is not None and (inbox.kind, inbox.data) == ("InvoicePaid", {"invoice_id": 31})
    assert await worker.queue.status(f"event-whmcs-{row['event_id']}") == "ENQUEUED"


async def test_the_bridge_its_sandbox_twin_and_the_portal_speak_of_the_same_events(whmcs: Whmcs) -> None:
    listened = set(await whmcs.request()) - {"AfterCronJob"}
    assert listened == BRIDGED == set(HOOKS)


async def test_an_event_whose_answer_was_lost_is_taken_once(whmcs: Whmcs, webhook: str, worker: Portal) -> None:
    whmcs.configure(webhook)
    await whmcs.request(PAID)
    whmcs.forget_delivery()
    await whmcs.cron()
    [row] = whmcs.outbox()
    assert row["delivered_at"] is not None and row["attempts"] == 2
    assert await inbox_of(worker, row["event_id"])


async def test_a_wrong_secret_is_refused_and_the_event_waits(whmcs: Whmcs, webhook: str, worker: Portal) -> None:
    whmcs.configure(webhook, secret="another")
    await whmcs.request(PAID)
    [row] = whmcs.outbox()
    assert (row["delivered_at"], row["last_error"]) == (None, "HTTP 401")
    assert await inbox_of(worker, row["event_id"]) is None


@pytest.mark.parametrize(
    ("hook", "values", "ids"),
    [
        ("AddTransaction", {"id": 9, "userid": 2, "invocieid": 31, "transid": "ch_1"},
         {"transaction_id": 9, "client_id": 2, "invoice_id": 31}),
        ("AddTransaction", {"id": 9, "userid": 2, "invoiceid": 0}, {"transaction_id": 9, "client_id": 2}),
        ("OrderPaid", {"orderId": 5, "userId": 2, "invoiceId": 31}, {"order_id": 5, "client_id": 2, "invoice_id": 31}),
        ("ClientAdd", {"client_id": 7, "user_id": 8, "password": "secret", "email": "a@example.jp"},
         {"client_id": 7, "user_id": 8}),
        ("ClientEdit", {"userid": "7", "olddata": {"email": "secret"}, "authdata": "secret"}, {"client_id": 7}),
        ("CCUpdate", {"userid": 7, "cardnum": "secret", "cardcvv": "secret"}, {"client_id": 7}),
        ("AfterModuleCreate",
         {"params": {"serviceid": 3, "userid": 7, "pid": 33, "password": "secret", "clientsdetails": {"id": 7}}},
         {"service_id": 3, "client_id": 7, "product_id": 33}),
        ("CancellationRequest", {"userid": 7, "relid": 3, "reason": "secret", "type": "Immediate"},
         {"client_id": 7, "service_id": 3}),
        ("AddonSuspended", {"id": 4, "userid": 7, "serviceid": 3, "addonid": 1},
         {"addon_id": 4, "client_id": 7, "service_id": 3}),
        ("AfterProductUpgrade", {"upgradeid": 6}, {"upgrade_id": 6}),
    ],
)  # fmt: skip
async def test_only_ids_leave_whmcs(whmcs: Whmcs, receiver: Receiver, hook: str, values: dict, ids: dict) -> None:
    whmcs.configure(receiver.url)
    await whmcs.request((hook, values))
    [(headers, body)] = await receiver.wait_for(hook)
    event = json.loads(body)
    assert event.keys() == {"id", "event", "occurred_at", "source", "api_version", "data"}
    assert (event["data"], event["source"], event["id"]) == (
        ids, "https://billing.example.jp", headers["x-whmcs-delivery"],
    )  # fmt: skip
    assert "secret" not in str(whmcs.outbox())
    assert is_signed(headers, body)


async def test_a_refused_event_is_sent_again_later_and_later(whmcs: Whmcs, receiver: Receiver) -> None:
    whmcs.configure(receiver.url)
    receiver.answers[:] = [500] * 6
    pauses = []
    await whmcs.request(PAID)
    for _ in range(6):
        pauses.append(round(minutes_until(whmcs.outbox()[0]["next_at"])))
        await whmcs.cron()
    first, *_, last = receiver.deliveries
    assert pauses == [1, 5, 15, 60, 240, 240]
    assert [headers["x-whmcs-attempt"] for headers, _ in receiver.deliveries] == list("1234567")
    assert (first[1], first[0]["x-whmcs-delivery"]) == (last[1], last[0]["x-whmcs-delivery"])
    assert is_signed(*last) and whmcs.outbox()[0]["delivered_at"] is not None


async def test_an_unreachable_portal_breaks_no_hook_and_loses_no_event(
    whmcs: Whmcs, receiver: Receiver, nobody: str
) -> None:
    whmcs.configure(nobody)
    await whmcs.request(PAID, ("AcceptOrder", {"orderid": 5}))
    assert all(row["last_error"] and row["delivered_at"] is None for row in whmcs.outbox())
    whmcs.configure(receiver.url)
    await whmcs.cron()
    assert {headers["x-whmcs-event"] for headers, _ in receiver.deliveries} == {"InvoicePaid", "AcceptOrder"}


async def test_an_event_is_given_up_after_three_days_and_that_is_noted(whmcs: Whmcs, receiver: Receiver) -> None:
    whmcs.configure(receiver.url)
    receiver.answers[:] = [500, 500]
    await whmcs.request(PAID)
    whmcs.age(whmcs.outbox()[0]["event_id"], "2020-01-01 00:00:00")
    await whmcs.cron()
    await whmcs.cron()
    [row] = whmcs.outbox()
    assert (row["last_error"], row["attempts"], len(receiver.deliveries)) == ("dead: HTTP 500", 2, 2)
    assert "gave up on InvoicePaid" in whmcs.log.read_text()


async def test_gone_stops_all_events_until_an_operator_starts_them_again(whmcs: Whmcs, receiver: Receiver) -> None:
    whmcs.configure(receiver.url)
    receiver.answers[:] = [410]
    await whmcs.request(PAID)
    await whmcs.request(PAID)
    await whmcs.cron()
    assert [row["event"] for row in whmcs.outbox()] == ["InvoicePaid", "BridgeStopped"]
    assert len(receiver.deliveries) == 1 and "410" in whmcs.log.read_text()


async def test_without_a_complete_configuration_nothing_happens(whmcs: Whmcs, receiver: Receiver) -> None:
    await whmcs.request(PAID)
    whmcs.configure(receiver.url, secret="")
    await whmcs.request(PAID)
    assert (whmcs.has_outbox(), receiver.deliveries, whmcs.log.read_text()) == (False, [], "")
