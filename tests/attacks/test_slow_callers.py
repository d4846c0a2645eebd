"""Clients that hold connections and send little are cut off at their deadlines, and all others are served."""

import asyncio
import resource
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import connect

from portal_app.infra.settings import Settings
from portal_app.jobs.web import LARGEST_HEAD
from tests.attacks.slow_callers import Caller, crowd, post
from tests.support.running.web_process import running_web
from tests.support.waiting import LONGEST_SECONDS

HEADER_SECONDS, BODY_SECONDS = 4, 3
GET = b"GET /api/health/live HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One web process, as operators start it, whose deadlines a test can wait for."""
    deadlines = {"portal_header_seconds": HEADER_SECONDS, "portal_body_seconds": BODY_SECONDS}
    log = tmp_path_factory.mktemp("web") / "log"
    with pytest.MonkeyPatch.context() as environment:
        for name in ("REFLEX_SOCKET_INTERVAL", "REFLEX_SOCKET_TIMEOUT"):
            environment.setenv(name, "1")
        with running_web(log, **deadlines) as settings:
            yield settings


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Let this process hold the attacker's ends of the connections."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def is_served(web: Settings) -> bool:
    """Ask for liveness and for data, on connections of their own."""
    async with httpx.AsyncClient(base_url=web.portal_url, timeout=LONGEST_SECONDS) as visitor:
        return all([(await visitor.get(path)).status_code == 200 for path in ("/api/health/live", "/api/services/vpn")])


@pytest.mark.parametrize(
    "said",
    [b"", b"G", GET + b"X-Slow: ", GET + b"\r\n", post("/api/auth/login", b"{", length=50_000)],
    ids=["silent", "one byte", "half a head", "kept alive", "half a body"],
)
async def test_a_connection_that_says_no_more_is_ended(web: Settings, said: bytes) -> None:
    caller = await Caller.call(web, said)
    read_all = await caller.read_all()
    if said.endswith(b"{"):
        assert b" 408 " in read_all and b"application/problem+json" in read_all
        assert b"connection: close" in read_all.lower()
    caller.hang_up()


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/me/identity-document", "/api/webhooks/whmcs", "/dashboard"])
async def test_every_route_limits_the_wait_for_a_body(web: Settings, path: str) -> None:
    caller = await Caller.call(web, post(path, b"{", length=50_000))
    assert await caller.read_all()
    caller.hang_up()


@pytest.mark.parametrize("count", [1_100, 3_000])
async def test_silent_connections_of_one_address_block_no_other_caller(web: Settings, count: int) -> None:
    async with crowd(web, count) as silent:
        assert await is_served(web)
        for caller in silent:
            assert await caller.read_all() == b""
    assert await is_served(web)


async def test_endless_bodies_block_no_other_caller(web: Settings) -> None:
    async with crowd(web, 1_100, post("/api/auth/login", b"{", length=50_000)) as slow:
        assert await is_served(web)
        for caller in slow:
            assert b" 408 " in await caller.read_all()
    assert await is_served(web)


async def test_a_slow_line_still_sends_its_body(web: Settings) -> None:
    body = b'{"email": "nobody@example.jp", "password": "' + b"x" * 40_000 + b'"}'
    caller = await Caller.call(web, post("/api/auth/login", b"", length=len(body)))
    for at in range(0, len(body), 1_000):
        caller.say(body[at : at + 1_000])
    assert b" 408 " not in (await caller.read_all())[:20]
    caller.hang_up()


async def test_a_head_larger_than_any_browser_sends_is_refused(web: Settings) -> None:
    caller = await Caller.call(web, GET + b"X-Large: " + b"x" * 2 * LARGEST_HEAD + b"\r\n\r\n")
    # Where the rest of it is still on its way, the refusal may be lost with the connection.
    assert b" 200 " not in await caller.read_all()
    caller.hang_up()


async def test_http_2_without_tls_is_not_spoken(web: Settings) -> None:
    caller = await Caller.call(web, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
    assert not (await caller.read_all()).startswith(b"\x00\x00")
    caller.hang_up()


async def test_a_socket_that_answers_no_ping_is_closed(web: Settings) -> None:
    query = f"EIO=4&transport=websocket&token={uuid4()}"
    url = f"ws://127.0.0.1:{web.portal_port}/_event/?{query}"
    async with connect(url, additional_headers={"Origin": web.portal_url}, proxy=None) as silent:
        async with asyncio.timeout(LONGEST_SECONDS):
            await silent.wait_closed()
