"""The Freebit client against valid and malformed answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pydantic import ValidationError
from redis.asyncio import Redis
from structlog.testing import capture_logs

from portal_app.domain.errors import ExternalUnavailable, LineLocked, NotFound, OutcomeUnknown
from portal_app.infra.redis.cache import Cache
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.settings import Settings
from portal_app.integrations.freebit import operations as op
from portal_app.integrations.freebit.client import FreebitClient
from portal_app.integrations.freebit.codes import FreebitRejected
from portal_app.integrations.http import vendor_client
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.vendor_call import Misconfigured, VendorCall
from tests.support.vendors.freebit_answers import ACCOUNT, DEAD, HTML, SECRET, SENSELESS, ok
from tests.support.vendors.scripted_server import ScriptedServer, http, scripted_server


def after_key(*answers: bytes) -> list[Any]:
    """Answer logins with ever new keys and everything else in order, the last one for ever."""
    left, keys = list(answers), iter(range(1, 1000))

    def answer(form: dict[str, str]) -> bytes:
        if "oemId" in form["json"]:
            return ok(authKey=f"key-{next(keys)}")
        return left.pop(0) if len(left) > 1 else left[0]

    return [answer]


def calls(server: ScriptedServer) -> list[dict[str, Any]]:
    """Return the JSON of every call but the logins."""
    return [body for body in (json.loads(form["json"]) for form in server.requests) if "oemId" not in body]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
async def connect(server: ScriptedServer, redis: Redis) -> AsyncIterator[Callable[..., FreebitClient]]:
    """Make clients as processes of their own would have them."""
    made: list[FreebitClient] = []

    def connect(**changes: Any) -> FreebitClient:
        given = {"freebit_url": f"{server.url}/emptool/api", "freebit_client_id": "id"} | changes
        settings = Settings(portal_env="development", freebit_client_secret=SECRET, **given)
        ring = KeyRing.parse(settings.portal_keys.get_secret_value(), "index")
        limiter = VendorLimiter(redis, "freebit", CallLimits(concurrency=20, rate="1000/minute", queue=50, timeout=2.0))
        line = VendorCall("freebit", limiter, timeout=0.5)
        made.append(FreebitClient(settings, vendor_client(timeout=0.5), line, cache=Cache(redis), ring=ring))
        return made[-1]

    yield connect
    for client in made:
        await client.aclose()


@pytest.fixture
def client(connect: Callable[..., FreebitClient]) -> FreebitClient:
    return connect()


async def test_a_call_is_one_form_field_of_json_with_the_key_inside(client: FreebitClient, server) -> None:
    server.script(*after_key(ok(ipv4="x")))
    assert (await client.call(op.CHANGE_PLAN, {"planCode": "LTE3G_P01", "name": "田中&=+"}))["ipv4"] == "x"
    assert calls(server) == [{"authKey": "key-1", "planCode": "LTE3G_P01", "name": "田中&=+"}]
    assert [set(form) for form in server.requests] == [{"json"}, {"json"}]
    assert server.asked == ["POST /emptool/api/authOem/", "POST /emptool/api/mvno/changePlan/"]
    assert server.headers[1]["content-type"] == "application/x-www-form-urlencoded"


async def test_settings_override_undocumented_facts(connect, server: ScriptedServer) -> None:
    client = connect(
        freebit_paths="PA01=login, PA02-01=/other/add/", freebit_version="7", freebit_success_code="0",
        freebit_success_status="", freebit_auth_codes="211-9", freebit_missing_codes="215",
    )  # fmt: skip
    server.script(http({"resultCode": 0, "authKey": "k"}), http({"resultCode": "0", "status": {"statusCode": 1}}))
    await client.call(op.REGISTER, {})
    assert server.asked == ["POST /emptool/api/login/", "POST /emptool/api/other/add/"]
    assert server.requests[1]["version"] == "7"
    server.script(http({"resultCode": "215"}))
    with pytest.raises(NotFound):
        await client.call(op.CANCEL, {})


@pytest.mark.parametrize(
    ("codes", "kind"),
    [((210, 210), NotFound), (("400", "356"), FreebitRejected), (("409", 1), LineLocked), (("x", ""), FreebitRejected)],
)
async def test_a_refusal_carries_its_codes_and_is_not_repeated(client, server, codes: tuple, kind: type) -> None:
    refusal = http({"resultCode": codes[0], "status": {"message": f"{ACCOUNT} は…", "statusCode": codes[1]}})
    server.script(*after_key(refusal))
    with pytest.raises(kind) as caught:
        await client.call(op.DETAIL, {})
    assert len(calls(server)) == 1 and ACCOUNT not in str(caught.value)


@pytest.mark.parametrize("answer", SENSELESS)
async def test_a_senseless_answer_to_a_read_is_unavailable_after_three_tries(client, server, answer: bytes) -> None:
    server.script(*after_key(answer))
    with pytest.raises(ExternalUnavailable):
        await client.call(op.DETAIL, {})
    assert len(calls(server)) == 3


@pytest.mark.parametrize("answer", SENSELESS)
async def test_a_senseless_answer_to_a_write_leaves_its_outcome_unknown(client, server, answer: bytes) -> None:
    server.script(*after_key(answer))
    with pytest.raises(OutcomeUnknown):
        await client.call(op.ADD_DATA, {})
    assert len(calls(server)) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refused_login_is_unavailable(client, server, status: int) -> None:
    server.script(*after_key(http(b"<html>", status)))
    with pytest.raises(Misconfigured):
        await client.call(op.ADD_DATA, {})


async def test_silence_leaves_a_writes_outcome_unknown(client: FreebitClient, server: ScriptedServer) -> None:
    server.script(*after_key(ok()))
    await client.call(op.DETAIL, {})
    server.pause = 2.0
    with pytest.raises(OutcomeUnknown):
        await client.call(op.ADD_DATA, {})


async def test_a_key_that_dies_is_replaced_once_and_the_write_sent_again(client, server: ScriptedServer) -> None:
    server.script(*after_key(http(DEAD), ok()))
    await client.call(op.ADD_DATA, {})
    assert [call["authKey"] for call in calls(server)] == ["key-1", "key-2"]


async def test_a_fresh_key_that_is_refused_is_our_fault(client: FreebitClient, server: ScriptedServer) -> None:
    server.script(*after_key(http(DEAD)))
    with pytest.raises(Misconfigured):
        await client.call(op.ADD_DATA, {})
    assert len(calls(server)) == 2


@pytest.mark.parametrize("answer", [http(DEAD), ok(), http({"resultCode": "999"}), http({"resultCode": "210"})])
async def test_no_key_means_that_nothing_was_sent(client, server: ScriptedServer, answer: bytes) -> None:
    server.script(answer)
    with pytest.raises(Misconfigured):
        await client.call(op.ADD_DATA, {})
    assert calls(server) == []


async def test_without_an_address_nothing_is_sent(connect) -> None:
    with pytest.raises(Misconfigured):
        await connect(freebit_url="").call(op.ADD_DATA, {})


async def test_all_processes_share_one_key_and_one_renewal(connect, server: ScriptedServer) -> None:
    server.script(*after_key(ok()))
    processes = [connect() for _ in range(4)]
    await asyncio.gather(*(each.call(op.DETAIL, {}) for each in processes for _ in range(5)))
    assert {call["authKey"] for call in calls(server)} == {"key-1"} and len(server.requests) == 21

    def only_the_second(form: dict[str, str]) -> bytes:
        if "oemId" in form["json"]:
            return ok(authKey="key-2")
        return ok() if json.loads(form["json"])["authKey"] == "key-2" else http(DEAD)

    server.script(only_the_second)
    for each in processes:
        await asyncio.gather(*(each.call(op.DETAIL, {}) for _ in range(5)))
    assert sum("oemId" in form["json"] for form in server.requests) == 1


def test_the_setting_for_usage_reads_has_a_minimum() -> None:
    with pytest.raises(ValidationError):
        Settings(portal_env="development", freebit_usage_seconds=299)


async def test_the_key_is_sealed_in_redis(client: FreebitClient, server: ScriptedServer, redis: Redis) -> None:
    server.script(*after_key(ok()))
    await client.call(op.DETAIL, {"account": ACCOUNT})
    kept = [await redis.get(name) for name in await redis.keys("c:freebit*")]
    assert len(kept) == 1 and b"key-1" not in kept[0]


async def test_no_secret_and_no_number_reaches_a_log_or_an_error(client, server: ScriptedServer) -> None:
    server.script(*after_key(HTML))
    with capture_logs() as logs, pytest.raises(OutcomeUnknown) as caught:
        await client.call(op.ADD_DATA, {"account": ACCOUNT})
    shown = f"{logs}{caught.value!r}{caught.value.__cause__!r}"
    assert not [word for word in (SECRET, ACCOUNT, "key-1") if word in shown]
