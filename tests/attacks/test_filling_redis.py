"""Filling Redis: the state of a tab without a session is small and expires early."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from websockets.exceptions import InvalidStatus

from portal_app.infra.settings import Settings
from tests.attacks.test_every_handler import ACCOUNT, PUBLIC_POSTCODE, cookies_of
from tests.support.clients.raw_socket import RawSocket, raw_socket
from tests.support.running.web_process import running_web
from tests.support.running.world import BEN, world
from tests.support.waiting import LONGEST_SECONDS

CHOOSE_TOWN = PUBLIC_POSTCODE.replace("look_up_postcode", "choose_town")
MALLORY, HOME = "198.51.100.66", "198.51.100.1"
NEW_SOCKETS, STRANGER_SECONDS, HOUR = 120, 90, 3600
MARK = "mark-of-mallory"
PLACE = {"pathname": "/auth/sign-in", "asPath": "/auth/sign-in"}
LONG = "x" * 7_000
TABS = 100


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One web process behind a proxy that tells addresses."""
    limits = {"portal_new_socket_limit": f"{NEW_SOCKETS}/minute", "portal_stranger_seconds": STRANGER_SECONDS}
    with running_web(tmp_path_factory.mktemp("web") / "log", portal_trusted_proxies=1, **limits) as settings:
        yield settings


@pytest.fixture
def kept() -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(world().valkey.url()) as client:
        yield client


def event(handler: str, payload: Any = None, **place: Any) -> str:
    return json.dumps(["event", {"name": handler, "payload": payload or {}, "router_data": PLACE | place}])


async def lookup(socket: RawSocket, **place: Any) -> None:
    """Send what a public page sends, and wait for the answer."""
    socket.received.clear()
    await socket.send_text(event(PUBLIC_POSTCODE, {"postcode": "5300001"}, **place))
    await socket.wait_for_words("Umeda")


async def state_of(kept: "redis.Redis", token: str) -> dict[bytes, bytes]:
    """Return the stored state of a tab, once it is written: a worker delays the write for some seconds."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not (names := list(kept.scan_iter(f"{token}_*details_page"))):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    names = [name for name in kept.scan_iter(f"{token}_reflex*") if not name.endswith((b"_lock", b"_lock_waiters"))]
    return {name: kept.get(name) or b"" for name in names}


async def test_a_hundred_tabs_without_a_session_store_little_in_redis(web: Settings, kept: "redis.Redis") -> None:
    async def fill() -> str:
        token = str(uuid4())
        async with raw_socket(web, address=f"198.51.101.{uuid4().int % 250}", token=token, **{"X-Junk": LONG}) as tab:
            await tab.send_text(event(CHOOSE_TOWN, {"place": LONG, "rest": LONG}, asPath="/" + LONG, junk=LONG))
            await lookup(tab, asPath="/" + LONG, pathname="/" + LONG, query={"a": LONG}, headers={"cookie": LONG})
        return token

    sizes = []
    for token in [await fill() for _ in range(TABS)]:
        sizes.append(sum(map(len, (await state_of(kept, token)).values())))
    # Messages of 30 kB used to leave as much; one of 900 kB left 2.6 MiB.
    assert max(sizes) < 15_000


async def test_invented_event_data_is_not_stored_in_the_tab_state(web: Settings, kept: "redis.Redis") -> None:
    token = str(uuid4())
    junk = {"junk": MARK, "headers": {"cookie": MARK}, "ip": MARK, "token": MARK, "sid": MARK}
    async with raw_socket(web, address=MALLORY, token=token, **{"X-Junk": MARK}) as tab:
        await lookup(tab, **junk)
        found = await state_of(kept, token)
    assert found
    assert not [name for name, value in found.items() if MARK.encode() in value]


async def test_a_message_of_900_kb_closes_the_socket_and_stores_nothing(web: Settings, kept: "redis.Redis") -> None:
    token = str(uuid4())
    async with raw_socket(web, address=MALLORY, token=token) as tab:
        await tab.send_text(event(PUBLIC_POSTCODE, {"postcode": "5300001"}, asPath="x" * 900_000))
        assert await tab.closed_with() == 1009
    assert not list(kept.scan_iter(f"{token}_*details_page"))


@pytest.mark.parametrize(
    "packet",
    [
        '42/_event,["connect",{"QUERY_STRING":"token=evil","asgi.scope":{"headers":[],"client":["6.6.6.6",1]}}]',
        '42/_event,["disconnect"]', '42/_event,["disconnect","x"]', '42/_event,["connect_error",{}]',
        '451-/_event,["connect",{"QUERY_STRING":"token=evil","asgi.scope":{"_placeholder":true,"num":0}}]',
        '42/_event,["ping"]', "40/_event,", "40/evil,", b"\x04binary", '42/_event,["event","{}"]',
    ],
)  # fmt: skip
async def test_a_forged_packet_closes_the_socket_and_does_nothing(
    web: Settings, kept: "redis.Redis", packet: str | bytes
) -> None:
    async with raw_socket(web, address=MALLORY) as tab:
        await lookup(tab)
        await tab.send_packet(packet)
        assert await tab.closed_with() in (1003, 1008)
    assert not list(kept.scan_iter("*evil*"))


async def test_sockets_of_one_network_are_opened_only_so_fast_and_others_connect(web: Settings) -> None:
    cookies, refused = cookies_of(web, BEN), 0
    for number in range(NEW_SOCKETS + 20):
        try:
            # Another address of the same /64 each time.
            async with raw_socket(web, address=f"2001:db8:0:66::{number:x}") as tab:
                # The first refused ones are told why before they are closed.
                refused += number >= NEW_SOCKETS and await tab.closed_with() == 4429
        except InvalidStatus:
            refused += 1
    assert refused == 20
    async with raw_socket(web, address=HOME, cookies=cookies) as ben:
        await ben.send(ACCOUNT, path="/account")
        await ben.wait_for_words("first_name", "Ben")


async def test_tab_state_without_a_session_expires_early_and_a_customers_stays(
    web: Settings, kept: "redis.Redis"
) -> None:
    lives = {}
    for who, cookies in {"stranger": "", "Ben": cookies_of(web, BEN)}.items():
        token = str(uuid4())
        async with raw_socket(web, address=HOME, token=token, cookies=cookies) as tab:
            await lookup(tab)
            lives[who] = [kept.ttl(name) for name in await state_of(kept, token)]
    assert all(0 < seconds <= STRANGER_SECONDS for seconds in lives["stranger"])
    assert all(STRANGER_SECONDS < seconds <= HOUR for seconds in lives["Ben"])


async def test_a_tab_without_a_session_keeps_all_state_while_it_is_used(web: Settings, kept: "redis.Redis") -> None:
    token = str(uuid4())
    async with raw_socket(web, address=HOME, token=token) as tab:
        await lookup(tab)
        for name in await state_of(kept, token):
            kept.expire(name, 30)
        await lookup(tab, asPath="/auth/sign-in?next=%2F")
        deadline = time.monotonic() + LONGEST_SECONDS
        while min(kept.ttl(name) for name in await state_of(kept, token)) <= 30:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
