"""The bridge's signed events: checks that they are WHMCS's, fresh and small, and reads them."""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from portal_app.domain.errors import InvalidInput, NotAllowed
from portal_app.domain.inbound_event import InboundEvent

LARGEST_BODY = 64 * 1024
WINDOW_SECONDS = 300
# Real events have three levels. A deeper one could end its workflow, which walks and writes it.
_DEEPEST = 20
_DELIVERY = re.compile(r"[A-Za-z0-9._:-]{8,100}", re.ASCII)


class MalformedJson(InvalidInput):
    """The body is not JSON, or JSON that PostgreSQL does not store."""

    code = "malformed_json"
    status = 400


def parse_secrets(text: str) -> dict[str, bytes]:
    """Read up to two "key:secret" pairs, comma separated. Raises ValueError."""
    pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    if len(pairs) > 2 or any(not key or not secret for key, _, secret in pairs):
        raise ValueError("expected at most two key:secret pairs")
    return {key: secret.encode() for key, _, secret in pairs}


def verify(
    headers: Mapping[str, str], body: bytes, *, secrets: Mapping[str, bytes], now: Sequence[float]
) -> InboundEvent:
    """Return the event of a delivery. `now` is every time it may be there, in unix seconds.

    Raises NotAllowed for a wrong signature or a time more than five minutes off either way, MalformedJson, and
    InvalidInput for a body that is too large or not an event of ours.
    """
    if len(body) > LARGEST_BODY:
        raise InvalidInput({"body": "At most 64 KiB."})
    given = {name.lower(): value for name, value in headers.items()}
    timestamp, delivery = given.get("x-whmcs-timestamp", ""), given.get("x-whmcs-delivery", "")
    secret = secrets.get(given.get("x-whmcs-key", ""))
    _check_signature(given.get("x-whmcs-signature", ""), f"{timestamp}.{delivery}.".encode() + body, secret)
    if not timestamp.isdecimal() or min(abs(each - int(timestamp)) for each in now) > WINDOW_SECONDS:
        raise NotAllowed("webhook: outside the time window")
    return _event(delivery, body)


def sign(secret: bytes, *, timestamp: str, delivery: str, body: bytes) -> str:
    """Return the signature header of a delivery."""
    return "v1=" + _hex(secret, f"{timestamp}.{delivery}.".encode() + body)


def _check_signature(given: str, signed: bytes, secret: bytes | None) -> None:
    # An unknown key costs the same time as a wrong signature.
    expected = "v1=" + _hex(secret or b"nobody's secret", signed)
    if not hmac.compare_digest(given.encode(), expected.encode()) or secret is None:
        raise NotAllowed("webhook: wrong signature")


def _hex(secret: bytes, signed: bytes) -> str:
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()


def _event(delivery: str, body: bytes) -> InboundEvent:
    content = _json(body)
    if not isinstance(content, dict) or content.get("id") != delivery or not _DELIVERY.fullmatch(delivery):
        raise InvalidInput({"id": "Not the delivery's id."})
    kind, data = content.get("event"), content.get("data")
    if not isinstance(kind, str) or not 0 < len(kind) <= 100 or not isinstance(data, dict):
        raise InvalidInput({"event": "Not an event."})
    return InboundEvent(source="whmcs", id=delivery, kind=kind, data=data)


def _json(body: bytes) -> Any:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedJson({"body": "Not JSON."}) from error
    if not _is_storable(content, _DEEPEST):
        raise MalformedJson({"body": "Contains a value that cannot be stored."})
    return content


def _is_storable(value: Any, levels: int) -> bool:
    """Return whether jsonb takes a value: finite numbers, no NUL, no half of a surrogate pair, not too deep."""
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
        case float():
            return math.isfinite(value)
        case dict():
            return levels > 0 and all(_is_storable(each, levels - 1) for pair in value.items() for each in pair)
        case list():
            return levels > 0 and all(_is_storable(each, levels - 1) for each in value)
    return True
