"""A client that sends more than people click is slowed down, and all others are served."""

from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import InvalidStatus

from portal_app.infra.redis.client import connect
from portal_app.infra.settings import Settings
from tests.attacks.test_every_handler import ACCOUNT, cookies_of
from tests.support.clients.raw_socket import RawSocket, raw_socket
from tests.support.running.web_process import running_web
from tests.support.running.world import BEN

MALLORY, HOME = "198.51.100.66", "198.51.100.1"
MOST_SOCKETS, BURST = 20, 60


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One web process behind a proxy that tells addresses, with limits that a test can reach."""
    limits = {"portal_event_limit": "60/minute", "portal_socket_limit": MOST_SOCKETS, "cache_profile_seconds": 0}
    with running_web(tmp_path_factory.mktemp("web") / "log", portal_trusted_proxies=1, **limits) as settings:
        yield settings


async def is_served(socket: RawSocket) -> bool:
    """Open the account page and wait for its data."""
    socket.received.clear()
    await socket.send(ACCOUNT, path="/account")
    return bool(await socket.wait_for_words("first_name", "Ben"))


async def test_a_socket_that_floods_is_read_slowly_and_others_are_served(web: Settings) -> None:
    cookies = cookies_of(web, BEN)
    async with (
        raw_socket(web, address=MALLORY, cookies=cookies) as mallory,
        raw_socket(web, address=HOME, cookies=cookies) as ben,
    ):
        for _ in range(5 * BURST):
            await mallory.send(ACCOUNT, path="/account")
        assert await is_served(ben)
        with pytest.raises(TimeoutError):
            # Each answered load sends at least one message; the burst is handled, the rest waits.
            await mallory.wait_for_messages(4 * BURST, seconds=4)
        assert await is_served(ben)


async def test_what_a_page_reads_counts_against_the_share_of_its_customer(web: Settings) -> None:
    redis = connect(web.redis_url, seconds=5)
    await redis.delete("none", *await redis.keys("lane:{whmcs}:calls:*"))
    async with raw_socket(web, address=HOME, cookies=cookies_of(web, BEN)) as ben:
        assert await is_served(ben)
    assert len(await redis.keys("lane:{whmcs}:calls:*")) == 1
    await redis.aclose()


async def test_five_hundred_sockets_of_one_address_are_few_and_others_connect(web: Settings) -> None:
    cookies, refused = cookies_of(web, BEN), 0
    entered: list[RawSocket] = []
    async with AsyncExitStack() as crowd:
        for _ in range(500):
            try:
                entered.append(await crowd.enter_async_context(raw_socket(web, address=MALLORY)))
            except InvalidStatus as error:
                refused += 1
                assert (error.response.status_code, error.response.headers["server"]) == (403, "portal")
        # Some are told why before they are closed.
        told = len(entered) - MOST_SOCKETS
        assert 0 < told <= 60 and refused + told == 500 - MOST_SOCKETS
        assert [await socket.closed_with() for socket in entered[MOST_SOCKETS:]] == [4429] * told
        async with raw_socket(web, address=HOME, cookies=cookies) as ben:
            assert await is_served(ben)
        # A customer behind the same address has sockets of the account's own.
        async with raw_socket(web, address=MALLORY, cookies=cookies) as neighbour:
            assert await is_served(neighbour)
    # A client that disconnects may connect again.
    async with raw_socket(web, address=MALLORY, cookies=cookies) as mallory:
        assert await is_served(mallory)
