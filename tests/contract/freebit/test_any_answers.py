"""Whatever Freebit answers, in whatever order: the client ends in time, sends no write twice and raises our errors."""

import asyncio
import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from portal_app.domain.errors import PortalError
from portal_app.infra.cache import Cache
from portal_app.infra.encryption import KeyRing
from portal_app.infra.settings import Settings
from portal_app.integrations.freebit import operations as op
from portal_app.integrations.freebit.client import FreebitClient
from portal_app.integrations.http import vendor_client
from portal_app.integrations.lanes import Lane
from portal_app.integrations.line import VendorLine
from tests.contract.freebit.test_client import DEAD, SENSELESS, ok
from tests.contract.lanes.scripted_server import http, scripted_server
from tests.contract.lanes.servers import quick_redis

LONGEST = 6.0
REFUSED = [http({"resultCode": code, "status": {"statusCode": code}}) for code in ("210", 409, "999")]
ANYTHING = st.sampled_from([ok(), ok(authKey="key"), http(DEAD), *REFUSED, *SENSELESS, http(b"", 429), http(b"", 404)])
OPERATIONS = st.sampled_from([op.DETAIL, op.USAGE, op.ADD_DATA, op.CANCEL, op.ESIM])


@settings(max_examples=30, deadline=None, derandomize=True)
@given(operation=OPERATIONS, answers=st.lists(ANYTHING, min_size=1, max_size=8))
def test_no_sequence_of_answers_hangs_repeats_a_write_or_escapes(operation: op.Operation, answers: list[bytes]) -> None:
    asyncio.run(_try(operation, answers))


async def _try(operation: op.Operation, answers: list[bytes]) -> None:
    own = Settings(portal_env="development", freebit_client_id="id", freebit_client_secret="s")
    ring = KeyRing.parse(own.portal_keys.get_secret_value(), "index")
    nobody = quick_redis("redis://127.0.0.1:1/0")
    async with scripted_server() as server:
        server.script(ok(authKey="key"), *answers)
        lane = Lane(nobody, "freebit", concurrency=5, rate="1000/minute", queue=20, timeout=1.0)
        reached = own.model_copy(update={"freebit_url": server.url})
        line = VendorLine("freebit", lane, timeout=0.5)
        client = FreebitClient(reached, vendor_client(timeout=0.5), line, cache=Cache(nobody), ring=ring)
        async with asyncio.timeout(LONGEST):
            with suppress(PortalError):
                await client.call(operation, {})
        sent = [body for body in (json.loads(form["json"]) for form in server.requests) if "oemId" not in body]
        await client.aclose()
    await nobody.aclose()
    # Once, and once more with a new key where the first was refused as dead.
    assert operation.safe or len(sent) <= 1 + (http(DEAD) in answers)
