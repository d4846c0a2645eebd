"""Signed events of the bridge: only authentic, recent and small ones are read."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from portal_app.domain.errors import InvalidInput, NotAllowed
from portal_app.integrations.whmcs.webhooks import LARGEST_BODY, parse_secrets, sign, verify
from sandbox.whmcs.bridge import signature

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SECRETS = parse_secrets("k1:first-secret,k2:second-secret")
DELIVERY = "7b0d4c1e-3a55-4b0f-9a58-0d9d5b6a2c11"
BODY = json.dumps({"id": DELIVERY, "event": "InvoicePaid", "data": {"invoice_id": 31}}).encode()


def signed(body: bytes = BODY, *, key: str = "k1", at: datetime = NOW, delivery: str = DELIVERY) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    secret = SECRETS.get(key, b"first-secret")
    return {
        "X-Whmcs-Timestamp": timestamp,
        "X-Whmcs-Delivery": delivery,
        "X-Whmcs-Key": key,
        "X-Whmcs-Signature": sign(secret, timestamp=timestamp, delivery=delivery, body=body),
    }


@pytest.mark.parametrize("key", ["k1", "k2"])
def test_an_event_signed_with_either_live_secret_is_read(key: str) -> None:
    event = verify(signed(key=key), BODY, secrets=SECRETS, now=[NOW.timestamp()])
    assert (event.source, event.id, event.kind, event.data) == ("whmcs", DELIVERY, "InvoicePaid", {"invoice_id": 31})


def test_we_sign_as_the_bridge_does() -> None:
    theirs = signature("first-secret", "1700000000", DELIVERY, BODY)
    assert sign(b"first-secret", timestamp="1700000000", delivery=DELIVERY, body=BODY) == f"v1={theirs}"


def test_header_names_are_read_in_any_case() -> None:
    lowered = {name.lower(): value for name, value in signed().items()}
    assert verify(lowered, BODY, secrets=SECRETS, now=[NOW.timestamp()]).id == DELIVERY


@pytest.mark.parametrize("header", ["X-Whmcs-Timestamp", "X-Whmcs-Delivery", "X-Whmcs-Key", "X-Whmcs-Signature"])
@pytest.mark.parametrize("value", [None, "", "wrong", "v1=é"])
def test_a_missing_or_wrong_header_is_not_allowed(header: str, value: str | None) -> None:
    headers = signed()
    headers.pop(header)
    if value is not None:
        headers[header] = value
    with pytest.raises(NotAllowed):
        verify(headers, BODY, secrets=SECRETS, now=[NOW.timestamp()])


def test_a_body_altered_by_one_byte_is_not_allowed() -> None:
    with pytest.raises(NotAllowed):
        verify(signed(), BODY.replace(b"31", b"32"), secrets=SECRETS, now=[NOW.timestamp()])


def test_an_unknown_key_is_not_allowed_even_with_a_good_signature() -> None:
    with pytest.raises(NotAllowed):
        verify(signed(key="k3"), BODY, secrets=SECRETS, now=[NOW.timestamp()])


@pytest.mark.parametrize("minutes", [-5.1, 5.1])
def test_events_outside_the_window_are_not_allowed(minutes: float) -> None:
    with pytest.raises(NotAllowed):
        verify(signed(at=NOW + timedelta(minutes=minutes)), BODY, secrets=SECRETS, now=[NOW.timestamp()])


@pytest.mark.parametrize("minutes", [-4.9, 4.9])
def test_events_inside_the_window_are_read(minutes: float) -> None:
    assert verify(signed(at=NOW + timedelta(minutes=minutes)), BODY, secrets=SECRETS, now=[NOW.timestamp()])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"[" * 30000,
        b"\xff",
        BODY.replace(DELIVERY.encode(), b"other"),
        BODY.replace(b'"InvoicePaid"', b"7"),
        BODY.replace(b'{"invoice_id": 31}', b"31"),
        b" " * (LARGEST_BODY + 1),
    ],
)
def test_a_signed_body_that_is_no_event_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        verify(signed(body), body, secrets=SECRETS, now=[NOW.timestamp()])


@pytest.mark.parametrize("text", ["key", "key:", ":secret", "a:b,c:d,e:f"])
def test_malformed_secrets_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_secrets(text)


def test_no_secrets_let_nothing_in() -> None:
    assert parse_secrets("") == {}
    with pytest.raises(NotAllowed):
        verify(signed(), BODY, secrets={}, now=[NOW.timestamp()])
