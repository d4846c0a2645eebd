"""What a signed-in tab can make the web process write into its log: never its cookies, its form or long lines."""

import asyncio
import json
from pathlib import Path
from typing import Any

from portal_app.infra.log.redaction import LONGEST_LINE
from portal_app.infra.settings import Settings
from tests.attacks.test_every_handler import ACCOUNT, cookies_of
from tests.support.clients.raw_socket import raw_socket
from tests.support.running.world import BEN

FORM = {"form": {"phone": "090-1234-9876", "last_name": "Do-Not-Show"}}


def event_of(cookies: str, **changes: Any) -> dict[str, Any]:
    """Return an event with a form and with cookies in it."""
    place = {"pathname": "/account", "query": {}, "asPath": "/account", "headers": {"cookie": cookies}}
    return {"name": ACCOUNT, "payload": FORM, "router_data": place, **changes}


def unknown_handlers(cookies: str) -> list[str]:
    """Return events that nothing handles."""
    names = ("no.such.handler", ACCOUNT.replace(".load", ".removed_by_a_release"))
    return [json.dumps(["event", event_of(cookies, name=name)]) for name in names]


def no_events(cookies: str) -> list[str]:
    """Return messages that libraries could quote: events as text or list, missing members, long names."""
    event = event_of(cookies)
    return [
        json.dumps(["event", json.dumps(event)]),
        json.dumps(["event", [event]]),
        json.dumps(["event", {"payload": FORM, "token": cookies}]),
        json.dumps(["event", event_of(cookies, name="x" * 20_000)]),
    ]


async def send_all(web: Settings, cookies: str) -> None:
    """Send every hostile text in a tab of its own, and wait until it was dealt with."""
    for text in unknown_handlers(cookies):
        async with raw_socket(web, cookies=cookies) as tab:
            await tab.send_text(text)
            await tab.wait_for_words("state_mismatch")
            await tab.send(ACCOUNT, path="/account")
            await tab.wait_for_words("Ben")
    for text in no_events(cookies):
        async with raw_socket(web, cookies=cookies) as tab:
            await tab.send_text(text)
            assert await tab.closed_with() == 1008


def test_no_message_of_a_tab_puts_cookies_or_a_form_into_the_log(web: Settings, web_log: Path) -> None:
    said_before = len(web_log.read_text())
    cookies = cookies_of(web, BEN)
    asyncio.run(send_all(web, cookies))
    written = web_log.read_text()[said_before:]
    values = [pair.partition("=")[2] for pair in cookies.split("; ")]
    assert not [value for value in values if value in written]
    assert "Do-Not-Show" not in written and "1234-9876" not in written
    assert max(map(len, written.splitlines()), default=0) <= LONGEST_LINE
    # Unknown handlers end before Reflex's queue, which would log a defect for each.
    assert "KeyError" not in written and "No registered handler" not in written
