"""PA01: the auth key that goes inside the JSON of every other call, and ends some time later."""

import hmac
import secrets
from datetime import datetime, timedelta

from sandbox.freebit.codes import Body, unauthenticated
from sandbox.freebit.fields import text
from sandbox.freebit.network import Network


def auth_oem(network: Network, body: Body) -> Body:
    """authOem: exchange oemId and oemKey for an authKey."""
    own = network.settings
    known = hmac.compare_digest(text(body, "oemId", "").encode(), own.freebit_oem_id.encode())
    if not (known and hmac.compare_digest(text(body, "oemKey", "").encode(), own.freebit_oem_key.encode())):
        raise unauthenticated()
    key = secrets.token_urlsafe(24)
    ends = network.clock.now() + timedelta(seconds=own.freebit_key_seconds)
    network.store.put("freebit.key", key, {"ends": ends.isoformat()})
    return {"authKey": key}


def check_key(network: Network, body: Body) -> None:
    """Raise Refused unless the call carries a key that is alive; the fault `expire_key` ends it under way."""
    key = text(body, "authKey", "")
    kept = network.store.get("freebit.key", key)
    if kept and network.faults.take_special("freebit", "expire_key"):
        network.store.delete("freebit.key", key)
        kept = None
    if kept is None or datetime.fromisoformat(kept["ends"]) <= network.clock.now():
        raise unauthenticated()
