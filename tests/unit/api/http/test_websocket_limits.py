"""Limits of one socket: read rate and the headers of its handshake."""

import asyncio
import json
from collections.abc import Iterable

import pytest
from starlette.types import Message, Receive, Scope, Send

from portal_app.api.http.websocket_frames import RECEIPT
from portal_app.api.http.websocket_limits import WebsocketLimits
from portal_app.domain.identity.tabs import TABS_OF_ACCOUNT, TABS_OF_NETWORK
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.settings import Settings

SLOW = Settings(portal_env="development", portal_event_limit="1/hour", portal_new_socket_limit="3/minute")
HANDLERS = {"a"}
RECEIVED = {"type": "websocket.send", "text": RECEIPT}
UPDATE = '42/_event,["event",{"delta":{}}]'
PROXIED = SLOW.model_copy(update={"portal_trusted_proxies": 1})


def event(size: int) -> Message:
    text = "42/_event," + json.dumps(["event", {"name": "a", "payload": {"text": ""}, "router_data": {}}])
    return {"type": "websocket.receive", "text": text.replace('""', '"' + "x" * (size - len(text)) + '"', 1)}


def scope(*headers: tuple[str, str], address: str = "198.51.100.7") -> Scope:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "websocket", "path": "/_event/", "headers": raw, "client": (address, 5)}


class Tab:
    """The application behind the layer, and the browser in front of it."""

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        join: Message = {"type": "websocket.receive", "text": "40/_event,"}
        self._messages = [{"type": "websocket.connect"}, join, *messages]
        self.read: list[Message] = []
        self.sent: list[Message] = []
        self.scope: Scope = {}

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read until the end."""
        self.scope = scope
        while not self.read or self.read[-1]["type"] != "websocket.disconnect":
            self.read.append(await receive())

    async def receive(self) -> Message:
        """Return the next message, the end after the last."""
        return self._messages.pop(0) if self._messages else {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message: Message) -> None:
        """Note what is sent."""
        self.sent.append(message)

    async def open(self, scope: Scope, settings: Settings = SLOW) -> "Tab":
        """Serve this tab alone."""
        await limits_of(self, settings)(scope, self.receive, self.send)
        return self

    def count(self) -> int:
        """How many events reached the application."""
        return sum(message.get("text", "").startswith("42") for message in self.read)


def limits_of(tab: Tab, settings: Settings = SLOW) -> WebsocketLimits:
    """Return the layer in front of a tab; a token that begins with "of " is an account's."""
    owner = lambda token: token.removeprefix("of-") if token.startswith("of-") else ""  # noqa: E731
    return WebsocketLimits(tab.app, settings, has_handler=HANDLERS.__contains__, account_of=owner)


@pytest.mark.parametrize(("size", "burst"), [(200, 59), (4_000, 59), (5_000, 29), (32_000, 7)])
async def test_a_socket_is_read_by_messages_and_by_bytes(size: int, burst: int) -> None:
    tab = Tab([event(size)] * 100)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await tab.open(scope())
    assert tab.count() == burst


async def test_a_refused_message_ends_the_socket_for_both_sides() -> None:
    tab = await Tab([event(200), event(40_000), event(200)]).open(scope())
    assert tab.count() == 1
    assert tab.sent == [RECEIVED, {"type": "websocket.close", "code": 1009}]
    assert tab.read[-1] == {"type": "websocket.disconnect", "code": 1009}


async def test_a_page_that_sends_an_unknown_event_must_reload() -> None:
    unknown = event(200)
    tab = await Tab([unknown | {"text": unknown["text"].replace('"a"', '"b"')}, event(200)]).open(scope())
    assert tab.count() == 1
    assert len(tab.sent) == 1
    assert tab.sent[0]["text"].startswith('42/_event,["state_mismatch",')


class AnsweringTab(Tab):
    """An application that answers two events by one update, and a third not at all."""

    async def receive(self) -> Message:
        """Return the next message; after the last, wait for what the browser gets."""
        if not self._messages:
            while len(self.sent) < 3:
                await asyncio.sleep(0.01)
        return await super().receive()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at the second event."""
        while (message := await receive())["type"] != "websocket.disconnect":
            self.read.append(message)
            if self.count() == 2 and len(self.read) == 4:
                await send({"type": "websocket.send", "text": UPDATE})
                await send({"type": "websocket.send", "text": "2"})


async def test_each_event_is_confirmed_with_an_update_or_soon_after() -> None:
    tab = await AnsweringTab([event(200)] * 3).open(scope())
    assert [message["text"] for message in tab.sent] == [UPDATE + "  ", "2", RECEIPT]
    assert json.loads(tab.sent[0]["text"].partition(",")[2])[0] == "event"


async def test_of_the_handshake_only_short_known_headers_are_kept() -> None:
    known = (("cookie", "a=1"), ("origin", "http://localhost:3000"), ("user-agent", "Firefox"))
    junk = (("x-junk", "1"), ("user-agent", "x" * 513), ("accept-language", "x" * 257), ("cookie", "x" * 8193))
    tab = await Tab().open(scope(*known, *junk))
    assert tab.scope["headers"] == [(name.encode(), value.encode()) for name, value in known]


async def test_the_client_address_comes_from_the_connection() -> None:
    tab = await Tab().open(scope(("x-forwarded-for", "6.6.6.6, 198.51.100.9"), address="10.0.0.1"), PROXIED)
    assert tab.scope["client"] == ("198.51.100.9", 0)
    assert not tab.scope["headers"]


async def test_a_network_opens_only_so_many_a_minute_and_another_one_opens() -> None:
    sockets = limits_of(Tab())

    async def opened(address: str) -> bool:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        await sockets(scope(address=address), Tab().receive, send)
        return {"type": "websocket.close", "code": 4429} not in sent

    assert [await opened(f"2001:db8::{number}") for number in range(4)] == [True, True, True, False]
    assert await opened("2001:db8:0:1::1")
    assert [await opened(f"::ffff:198.51.100.{number}") for number in (7, 7, 7, 7, 8)] == [
        True,
        True,
        True,
        False,
        True,
    ]


OURS = ("origin", "http://localhost:3000")


class OpenTabs:
    """Tabs that stay open, by one layer."""

    def __init__(self, **changes: object) -> None:
        self._gone = asyncio.Event()
        self._settings = SLOW.model_copy(update={"portal_new_socket_limit": "100/minute", **changes})
        self._layer = WebsocketLimits(
            self._app, self._settings, has_handler=HANDLERS.__contains__, account_of=lambda token: token.strip("!")
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, *headers: tuple[str, str], account: str = "") -> list[Message]:
        """Open one, and return what the portal sent to it at once."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        name = cookie_name(self._settings, "access")
        cookie = (("cookie", f"other=1; {name}={account}"),) if account else ()
        self._tasks.append(asyncio.create_task(self._layer(scope(*headers, *cookie), Tab().receive, send)))
        for _ in range(3):
            await asyncio.sleep(0)
        return sent

    async def close(self) -> None:
        self._gone.set()
        await asyncio.gather(*self._tasks)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._gone.wait()


async def test_a_customer_opens_a_tab_behind_an_address_that_strangers_and_neighbours_fill() -> None:
    tabs = OpenTabs(portal_socket_limit=100, portal_account_socket_limit=3)
    for number in range(100):
        assert await tabs.open(OURS, account=f"neighbour-{number}") == []
    for _ in range(100):
        assert await tabs.open(OURS) == []
    # A made-up token is a stranger's.
    for refused in (await tabs.open(OURS), await tabs.open(OURS, account="!")):
        assert refused[-1] == {"type": "websocket.close", "code": 4429}
    assert [await tabs.open(OURS, account="ben") for _ in range(3)] == [[], [], []]
    assert (await tabs.open(OURS, account="ben"))[-1] == {"type": "websocket.close", "code": 4429}
    assert await tabs.open(OURS, account="aiko") == []
    await tabs.close()


async def test_a_refused_page_of_ours_is_told_why_and_nobody_else() -> None:
    tabs = OpenTabs(portal_socket_limit=1, portal_account_socket_limit=1)
    assert [await tabs.open(OURS), await tabs.open(OURS, account="ben")] == [[], []]
    for account, reason in (("", TABS_OF_NETWORK), ("ben", TABS_OF_ACCOUNT)):
        told = await tabs.open(OURS, account=account)
        assert [message["type"].partition(".")[2] for message in told] == ["accept", "send", "send", "close"]
        assert json.loads(told[1]["text"][1:])["upgrades"] == []
        assert told[2]["text"] == f'44/_event,{{"message": "{reason}"}}'
    for other in ((), ("origin", "http://evil.example")):
        assert await tabs.open(*((other,) if other else ())) == [{"type": "websocket.close", "code": 4429}]
    # A flood is not answered for ever.
    answers = [await tabs.open(OURS) for _ in range(100)]
    assert sum(len(told) == 4 for told in answers) == 59
    await tabs.close()


async def test_an_account_opens_only_so_many_tabs_a_minute() -> None:
    tabs = OpenTabs(portal_account_new_socket_limit="3/minute")
    told = [await tabs.open(OURS, account="ben") for _ in range(5)]
    assert [not each for each in told] == [True] * 3 + [False] * 2
    assert await tabs.open(OURS, account="aiko") == []
    await tabs.close()
