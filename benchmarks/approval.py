"""The time from an agent's approval until an open order page shows "approved" and then "active"."""

import math
import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

import httpx
import psycopg
from playwright.sync_api import Page, expect

from benchmarks.chromium import chromium, context_of
from benchmarks.demo import Demo
from benchmarks.stage import Stage
from benchmarks.table import Row, within

ORDERS = 20
APPROVED_LIMIT, ACTIVE_LIMIT, LIMIT = 0.3, 2, 3
_LONGEST_WAIT_SECONDS = 30
_WAITING, _ACTIVE = "Our team looks at the order next", "Your service is working. Its invoice is under Billing."
# Texts of the page after the approval; under load the page may skip the first one.
_APPROVED = ("The order is approved.", _ACTIVE)
# The time (unix seconds) is taken after the frame that shows the text.
_WATCH = """([approved, active]) => {
    window.__shown = {};
    const look = () => {
        const text = document.body.innerText;
        for (const [name, words] of [["approved", approved], ["active", [active]]]) {
            if (name in window.__shown || !words.some(each => text.includes(each))) continue;
            window.__shown[name] = 0;
            requestAnimationFrame(() => setTimeout(
                () => { window.__shown[name] = (performance.timeOrigin + performance.now()) / 1000; }));
        }
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


@dataclass(frozen=True, slots=True)
class ApprovalTimes:
    """Seconds from the approval until each of the observed events."""

    received: float
    approved: float
    active: float
    shown: float


def measure(stage: Stage) -> list[Row]:
    """Place, open and approve several orders, one after the other."""
    demo = stage.demo
    with (
        demo.signed_in() as ben,
        psycopg.connect(demo.database_url(), autocommit=True) as database,
        chromium() as browser,
    ):
        orders = [_place(ben) for _ in range(ORDERS)]
        page = context_of(browser, ben).new_page()
        ways = [_follow(demo, order_id, database, page) for order_id in orders]
    return [
        within("approval: event in the inbox", median(way.received for way in ways), "s", limit=LIMIT),
        within("approval: page says approved", median(way.approved for way in ways), "s", limit=APPROVED_LIMIT),
        within("approval: page says approved, p95", _p95([way.approved for way in ways]), "s", limit=APPROVED_LIMIT),
        within("approval: order active, p95", _p95([way.active for way in ways]), "s", limit=ACTIVE_LIMIT),
        within("approval: page shows it active", median(way.shown for way in ways), "s", limit=ACTIVE_LIMIT),
        within("approval: page shows it active, p95", _p95([way.shown for way in ways]), "s", limit=ACTIVE_LIMIT),
    ]


def _p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _follow(demo: Demo, order_id: str, database: psycopg.Connection, page: Page) -> ApprovalTimes:
    sf_order_id = _at_salesforce(database, order_id)
    page.goto(f"{demo.url}/orders/{order_id}")
    expect(page.get_by_text(re.compile(_WAITING))).to_be_visible(timeout=_LONGEST_WAIT_SECONDS * 1000)
    page.wait_for_load_state("networkidle")
    page.evaluate(_WATCH, [_APPROVED, _ACTIVE])
    with httpx.Client() as agent:
        began = time.time()
        agent.post(f"{demo.office}/api/orders/{sf_order_id}/approve").raise_for_status()
    expect(page.get_by_text(_ACTIVE)).to_be_visible(timeout=_LONGEST_WAIT_SECONDS * 1000)
    page.wait_for_function("window.__shown.approved > 0 && window.__shown.active > 0")
    shown = page.evaluate("window.__shown")
    since = datetime.fromtimestamp(began, UTC)
    received = _first(database, "SELECT min(received_at) FROM inbox WHERE received_at > %s", since)
    active = _first(database, "SELECT at FROM order_events WHERE step = 'active' AND order_id = %s", order_id)
    return ApprovalTimes(
        received.timestamp() - began, shown["approved"] - began, active.timestamp() - began, shown["active"] - began
    )


def _place(ben: httpx.Client) -> str:
    plan = ben.get("/api/services/vpn").raise_for_status().json()["items"][0]
    key = {"Idempotency-Key": str(uuid.uuid4())}
    return (
        ben.post("/api/orders", json={"sku": plan["sku"], "terms_accepted": True}, headers=key)
        .raise_for_status()
        .json()["id"]
    )


def _at_salesforce(database: psycopg.Connection, order_id: str) -> str:
    """Wait until Salesforce has the order, and return its Salesforce id."""
    query = "SELECT sf_order_id FROM orders WHERE id = %s AND stage = 'in_review'"
    return _first(database, query, order_id)


def _first(database: psycopg.Connection, query: str, value: object) -> Any:
    """Repeat a call until it returns a value."""
    end = time.monotonic() + _LONGEST_WAIT_SECONDS
    while time.monotonic() < end:
        if row := database.execute(query, (value,)).fetchone():
            return row[0]
        time.sleep(0.05)
    raise SystemExit(f"The database has no answer to: {query}")
