"""From the agent's approval to the pixel: an open order page moves to "Active" by itself."""

import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

import httpx
import psycopg
from playwright.sync_api import Browser, expect

from benchmarks.chromium import chromium, context_of
from benchmarks.demo import Demo
from benchmarks.stage import Stage
from benchmarks.table import Row, within

ORDERS = 5
LIMIT = 3
_LONGEST_WAIT_SECONDS = 30
_WAITING, _ACTIVE = "Our team looks at the order next", "Your service is working. Its invoice is under Billing."
# The moment is taken after the frame in which the words stand, in seconds since 1970 like all others.
_WATCH = """words => {
    const look = () => {
        if (window.__shown || !document.body.innerText.includes(words)) return;
        window.__shown = -1;
        requestAnimationFrame(() => setTimeout(
            () => { window.__shown = (performance.timeOrigin + performance.now()) / 1000; }));
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


@dataclass(frozen=True, slots=True)
class Way:
    """Seconds from the approval until the listener had the event, the database was active, the page showed it."""

    received: float
    active: float
    shown: float


def measure(stage: Stage) -> list[Row]:
    """Place, open and approve some orders, one after the other."""
    demo = stage.demo
    with (
        demo.signed_in() as ben,
        psycopg.connect(demo.database_url(), autocommit=True) as database,
        chromium() as browser,
    ):
        ways = [_follow(demo, ben, database, browser) for _ in range(ORDERS)]
    received = median(way.received for way in ways)
    active, shown = median(way.active for way in ways), median(way.shown for way in ways)
    return [
        within("approval: event in the inbox", received, "s", limit=LIMIT),
        within("approval: order active", active, "s", limit=LIMIT),
        within("approval: page shows it", shown, "s", limit=LIMIT),
    ]


def _follow(demo: Demo, ben: httpx.Client, database: psycopg.Connection, browser: Browser) -> Way:
    order_id = _place(ben)
    sf_order_id = _at_salesforce(database, order_id)
    context = context_of(browser, ben)
    page = context.new_page()
    page.goto(f"{demo.url}/orders/{order_id}")
    expect(page.get_by_text(re.compile(_WAITING))).to_be_visible(timeout=_LONGEST_WAIT_SECONDS * 1000)
    page.wait_for_load_state("networkidle")
    page.evaluate(_WATCH, _ACTIVE)
    approved = time.time()
    httpx.post(f"{demo.office}/api/orders/{sf_order_id}/approve").raise_for_status()
    expect(page.get_by_text(_ACTIVE)).to_be_visible(timeout=_LONGEST_WAIT_SECONDS * 1000)
    page.wait_for_function("window.__shown > 0")
    shown = page.evaluate("window.__shown")
    context.close()
    since = datetime.fromtimestamp(approved, UTC)
    received = _first(database, "SELECT min(received_at) FROM inbox WHERE received_at > %s", since)
    active = _first(database, "SELECT at FROM order_events WHERE step = 'active' AND order_id = %s", order_id)
    return Way(received.timestamp() - approved, active.timestamp() - approved, shown - approved)


def _place(ben: httpx.Client) -> str:
    plan = ben.get("/api/services/vpn").raise_for_status().json()["items"][0]
    key = {"Idempotency-Key": str(uuid.uuid4())}
    return (
        ben.post("/api/orders", json={"sku": plan["sku"], "terms_accepted": True}, headers=key)
        .raise_for_status()
        .json()["id"]
    )


def _at_salesforce(database: psycopg.Connection, order_id: str) -> str:
    """Return the order's Salesforce id as soon as it was handed over."""
    query = "SELECT sf_order_id FROM orders WHERE id = %s AND stage = 'in_review'"
    return _first(database, query, order_id)


def _first(database: psycopg.Connection, query: str, value: object) -> Any:
    """Ask until there is an answer."""
    end = time.monotonic() + _LONGEST_WAIT_SECONDS
    while time.monotonic() < end:
        if row := database.execute(query, (value,)).fetchone():
            return row[0]
        time.sleep(0.05)
    raise SystemExit(f"The database has no answer to: {query}")
