"""What a signed-in tab can make the web process write into its log: never its cookies, its form or long lines."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal_app.infra.log_redaction import LONGEST_LINE
from portal_app.infra.settings import Settings
from tests.attacks.raw_socket import raw_socket
from tests.attacks.test_every_handler import ACCOUNT, cookies_of
from tests.attacks.web_process import running_web
from tests.world import BEN

FORM = {"form": {"phone": "090-1234-9876", "last_name": "Do-Not-Show"}}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web") / "log"


@pytest.fixture(scope="module")
def web(log: Path) -> Iterator[Settings]:
    with running_web(log) as settings:
        yield settings


def hostile_texts(cookies: str) -> list[str]:
    """Return messages that libraries could quote: unknown handlers, events as text or list, missing members."""
    place = {"pathname": "/account", "query": {}, "asPath": "/account", "headers": {"cookie": cookies}}
    event: dict[str, Any] = {"name": "no.such.handler", "payload": FORM, "router_data": place}
    return [
        json.dumps(["event", event]),
        json.dumps(["event", {**event, "name": ACCOUNT.replace(".load", ".removed_by_a_release")}]),
        json.dumps(["event", json.dumps(event)]),
        json.dumps(["event", [event]]),
        json.dumps(["event", {"payload": FORM, "token": cookies}]),
        json.dumps(["event", {**event, "name": "x" * 20_000}]),
    ]


async def send_all(web: Settings, cookies: str) -> None:
    """Send every hostile text in a tab of its own, and wait until it was dealt with."""
    for text in hostile_texts(cookies):
        async with raw_socket(web, cookies=cookies) as tab:
            await tab.send_text(text)
            # A tab's events run in order: when the page has loaded, the text before it was dealt with.
            await tab.send(ACCOUNT, path="/account")
            await tab.told_about("Ben")


def test_no_message_of_a_tab_puts_cookies_or_a_form_into_the_log(web: Settings, log: Path) -> None:
    cookies = cookies_of(web, BEN)
    asyncio.run(send_all(web, cookies))
    written = log.read_text()
    values = [pair.partition("=")[2] for pair in cookies.split("; ")]
    assert not [value for value in values if value in written]
    assert "Do-Not-Show" not in written and "1234-9876" not in written
    assert max(map(len, written.splitlines()), default=0) <= LONGEST_LINE
    # Unknown handlers end before Reflex's queue, which would log a defect for each.
    assert "KeyError" not in written and "No registered handler" not in written
