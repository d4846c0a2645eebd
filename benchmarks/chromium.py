"""The browser for measurements."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from portal_app.local.browser import find_browser

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run one Chromium until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=_FLAGS)
        yield browser
        browser.close()


def context_of(browser: Browser, client: httpx.Client | None = None) -> BrowserContext:
    """Return a browser context without cache, with the session of `client` if given."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    if client is not None:
        cookies = [
            {"name": name, "value": value, "url": str(client.base_url)} for name, value in client.cookies.items()
        ]
        context.add_cookies(cookies)
    return context
