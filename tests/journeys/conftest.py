"""A browser to walk through the running demo."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from portal_app.local.browser import find_browser
from tests.support.running.demo import Demo, running_demo, sign_in
from tests.support.waiting import LONGEST_SECONDS

# What a browser says by itself and no customer sees: a cut socket when a page is left, a hint in the console, a proof
# that was refused (the page tells it in words).
HARMLESS = (
    "Failed to load resource: the server responded with a status of 422",
    "Disconnect websocket",
    "[DOM]",
    "WebSocket is closed before",
    "WebSocket connection to",
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# The end of every wait for a page, in milliseconds.
LONGEST = LONGEST_SECONDS * 1000
expect.set_options(timeout=LONGEST)


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    """Start the demo once for all journeys."""
    with running_demo(PORTAL_LOG_FORMAT="json") as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start one Chromium for all journeys, and end it after them: its loop would be in the way of other tests."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, demo: Demo) -> Iterator[Callable[..., Page]]:
    """Open a fresh browser profile at a path, signed in if an e-mail is given; console errors fail the test.

    `may_miss` lets the browser mention an address that is not there.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(path: str, *, email: str = "", may_miss: bool = False, **options: object) -> Page:
        context = browser.new_context(base_url=demo.url, **options)
        context.set_default_timeout(LONGEST)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: _note(errors, message.type, message.text, may_miss=may_miss))
        page.on("pageerror", lambda error: errors.append(str(error)))
        if email:
            sign_in(page, email)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def _note(errors: list[str], kind: str, text: str, *, may_miss: bool) -> None:
    if may_miss and "404 (Not Found)" in text:
        return
    if kind in ("error", "warning") and not text.startswith(HARMLESS):
        errors.append(text)
