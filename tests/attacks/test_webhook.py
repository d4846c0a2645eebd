"""Webhook events that are forged, late or replayed."""

import asyncio
from uuid import uuid4

import pytest

from portal_app.integrations.whmcs.webhooks import LARGEST_BODY
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor
from tests.support.clients.webhook_calls import PATH, body_of, deliver, headers_of, inbox_of


@pytest.mark.parametrize(
    "change",
    [
        {"X-Whmcs-Signature": ""},
        {"X-Whmcs-Signature": "v1=" + "0" * 64},
        {"X-Whmcs-Signature": "v0="},
        {"X-Whmcs-Signature": "é"},
        {"X-Whmcs-Key": "k2"},
        {"X-Whmcs-Key": ""},
        {"X-Whmcs-Timestamp": "0"},
        {"X-Whmcs-Timestamp": "x"},
        {"X-Whmcs-Timestamp": ""},
        {"X-Whmcs-Delivery": "another-delivery"},
    ],
    ids=str,
)
async def test_a_wrong_signature_is_refused_and_nothing_changes(
    visitor: Visitor, worker: Portal, change: dict[str, str]
) -> None:
    delivery = str(uuid4())
    body = body_of(delivery)
    headers = {name: value.encode() for name, value in (headers_of(delivery, body) | change).items()}
    answer = await visitor.http.post(PATH, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unsigned")
    assert await inbox_of(worker, delivery) is None


async def test_an_unsigned_event_is_refused(visitor: Visitor) -> None:
    assert (await visitor.http.post(PATH, content=body_of(str(uuid4())))).status_code == 401
    assert (await visitor.http.post(PATH)).status_code == 401


async def test_a_body_altered_by_one_byte_is_refused(visitor: Visitor, worker: Portal) -> None:
    delivery = str(uuid4())
    body = body_of(delivery, data={"invoice_id": 1})
    for altered in (body.replace(b"1}", b"2}"), body + b" ", body[:-1]):
        answer = await visitor.http.post(PATH, content=altered, headers=headers_of(delivery, body))
        assert answer.status_code == 401
    assert await inbox_of(worker, delivery) is None


@pytest.mark.parametrize("age", [301, 3600, -310, -3600])
async def test_an_event_outside_the_window_is_refused(visitor: Visitor, worker: Portal, age: int) -> None:
    delivery = str(uuid4())
    assert (await deliver(visitor, delivery, age=age)).status_code == 401
    assert await inbox_of(worker, delivery) is None


@pytest.mark.parametrize("age", [290, -290])
async def test_a_small_clock_difference_is_accepted(visitor: Visitor, age: int) -> None:
    assert (await deliver(visitor, str(uuid4()), age=age)).status_code == 202


async def test_a_replayed_event_does_nothing_again(visitor: Visitor) -> None:
    delivery = str(uuid4())
    assert (await deliver(visitor, delivery)).status_code == 202
    again = await deliver(visitor, delivery, kind="InvoiceCancelled")
    assert (again.status_code, again.json()) == (200, {"result": "known"})


async def test_fifty_concurrent_deliveries_are_taken_once(visitor: Visitor, worker: Portal) -> None:
    delivery = str(uuid4())
    answers = await asyncio.gather(*(deliver(visitor, delivery) for _ in range(50)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(202), statuses.count(200)) == (1, 49)
    assert await inbox_of(worker, delivery) is not None


async def test_an_oversized_event_is_refused_unread(visitor: Visitor, worker: Portal) -> None:
    for beyond, status in ((0, 202), (1, 413), (70_000, 413)):
        delivery = str(uuid4())
        filler = "x" * (LARGEST_BODY - len(body_of(delivery, data={"filler": ""})) + beyond)
        answer = await deliver(visitor, delivery, data={"filler": filler})
        assert (beyond, answer.status_code) == (beyond, status)
        assert (await inbox_of(worker, delivery) is None) == bool(beyond)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "text/json", "application/jso"]
)
async def test_a_signed_event_with_another_content_type_is_refused(visitor: Visitor, worker: Portal, kind: str) -> None:
    delivery = str(uuid4())
    body = body_of(delivery)
    headers = headers_of(delivery, body) | {"Content-Type": kind}
    assert (await visitor.http.post(PATH, content=body, headers=headers)).status_code == 415
    assert await inbox_of(worker, delivery) is None


@pytest.mark.parametrize("kind", ["NoSuchHook", "invoicepaid", "x" * 100, "InvoicePaid\n", "'; DROP TABLE inbox; --"])
async def test_an_unknown_event_is_acknowledged_and_leaves_nothing(visitor: Visitor, worker: Portal, kind: str) -> None:
    delivery = str(uuid4())
    answer = await deliver(visitor, delivery, kind=kind, data={"invoice_id": 1})
    assert (answer.status_code, answer.json()) == (200, {"result": "ignored"})
    assert await inbox_of(worker, delivery) is None


async def test_events_out_of_order_or_false_end_with_the_state_of_whmcs(
    ben: Visitor, visitor: Visitor, worker: Portal
) -> None:
    """The latest event arrives first, the others contradict it or name other owners: an event is only a hint."""
    before = (await ben.get("/api/invoices")).json()
    number = before["items"][0]["id"]
    lies = (
        ("InvoicePaid", {"invoice_id": number}),
        ("InvoiceUnpaid", {"invoice_id": number, "client_id": 1}),
        ("InvoiceCancelled", {"invoice_id": number, "status": "Cancelled"}),
        ("InvoiceCreated", {"invoice_id": 2**70, "client_id": "2"}),
        ("AddTransaction", {"invoice_id": [number], "client_id": None}),
        ("ServiceDelete", {"service_id": -1, "order_id": True}),
    )
    for age, (kind, data) in zip(range(0, 240, 40), lies, strict=True):
        delivery = str(uuid4())
        assert (await deliver(visitor, delivery, kind=kind, data=data, age=age)).status_code == 202
        await worker.inbound.billing_changes.apply(await worker.inbound.inbox.event("whmcs", delivery))
    assert (await ben.get("/api/invoices")).json() == before


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"id": 1}'])
async def test_a_signed_body_that_is_no_event_is_refused(visitor: Visitor, body: bytes) -> None:
    answer = await visitor.http.post(PATH, content=body, headers=headers_of(str(uuid4()), body))
    assert answer.status_code == 422


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 5000, b'{"id": NaN}', b"\xff"])
async def test_a_signed_body_that_is_not_json_is_a_bad_request(visitor: Visitor, body: bytes) -> None:
    answer = await visitor.http.post(PATH, content=body, headers=headers_of(str(uuid4()), body))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("NaN", id="NaN"),
        pytest.param("-Infinity", id="infinity"),
        pytest.param("1e999", id="a number beyond all bounds"),
        pytest.param('"\\u0000"', id="NUL"),
        pytest.param('"\\ud800"', id="half of a surrogate pair"),
        pytest.param('{"\\udc00": 1}', id="the same in a name"),
        pytest.param("[" * 900 + "]" * 900, id="a deep list"),
        pytest.param('{"a":' * 900 + "1" + "}" * 900, id="a deep object"),
    ],
)
async def test_a_signed_event_that_postgresql_cannot_store_is_a_bad_request(
    visitor: Visitor, worker: Portal, value: str
) -> None:
    delivery = str(uuid4())
    body = body_of(delivery, data={"invoice_id": "?"}).replace(b'"?"', value.encode())
    answer = await visitor.http.post(PATH, content=body, headers=headers_of(delivery, body))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert await inbox_of(worker, delivery) is None


async def test_a_delivery_id_must_be_the_one_in_the_body(visitor: Visitor, worker: Portal) -> None:
    delivery, other = str(uuid4()), str(uuid4())
    body = body_of(other)
    answer = await visitor.http.post(PATH, content=body, headers=headers_of(delivery, body))
    assert answer.status_code == 422
    assert await inbox_of(worker, other) is None
