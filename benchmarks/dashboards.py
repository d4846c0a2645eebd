"""A hundred customers open their dashboards at once while WHMCS takes 800 ms per response."""

import time
from collections.abc import Callable
from statistics import median, quantiles

from playwright.sync_api import Browser

from benchmarks.chromium import chromium
from benchmarks.crowd import Crowd, burst, crowded_demo
from benchmarks.demo import NO_LIMITS
from benchmarks.stage import Stage
from benchmarks.table import Row, versus, within
from portal_app.local.supervisor import print_line

CUSTOMERS = 100
SLOW_SECONDS = 0.8
LIMIT_MS = 300
MOST_CALLS = 1.05
SUMMARY = "/api/me/summary"
_ROUNDS, _LOOKS = 3, 5
_LONGEST_SETTLING = 120.0
# Disables the schedule's mirror refresh, so that only reads caused by page views are counted.
_LOOKS_ALONE = {"MIRROR_RECONCILE_SECONDS": "1000000"}
# The WHMCS actions that the dashboard causes.
_ACTIONS = ("GetInvoices", "GetClientsProducts", "GetPayMethods")


def measure(stage: Stage) -> list[Row]:
    """Measure with two web workers, as in production: fresh mirrors, cached responses, then stale mirrors."""
    home = stage.scratch / "dashboards"
    with crowded_demo(home, CUSTOMERS, **NO_LIMITS, **_LOOKS_ALONE, PORTAL_WEB_WORKERS="2") as crowd:
        # No customer has a mirror yet: all requests must be answered.
        took = burst(crowd.demo.url + SUMMARY, crowd.cookies)
        print_line(f"All {CUSTOMERS} came for the first time at once: answered within {max(took):,.0f} ms")
        _settle(crowd)
        crowd.set_faults(slow=SLOW_SECONDS)
        first = _rows(crowd, "first look", crowd.forget_answers)
        again = _rows(crowd, "second look", lambda: None)
        old = _rows(crowd, "old mirrors", crowd.forget_answers, crowd.age_mirrors)
        return first + again + old + _in_the_browser(crowd)


def _rows(crowd: Crowd, what: str, *prepare: Callable[[], None]) -> list[Row]:
    took: list[float] = []
    before: dict[str, int] = {}
    for turn in range(_ROUNDS + 1):
        for each in prepare:
            each()
        lasted = burst(crowd.demo.url + SUMMARY, crowd.cookies)
        _settle(crowd)
        if turn:
            took += lasted
        else:
            before = crowd.calls()
    after = crowd.calls()
    opened = CUSTOMERS * _ROUNDS
    calls = {action: (after.get(action, 0) - before.get(action, 0)) / opened for action in _ACTIONS}
    summary = ", ".join(f"{action} {count:.2f}" for action, count in calls.items())
    name = f"dashboards: {CUSTOMERS} at once, WHMCS at {SLOW_SECONDS * 1000:.0f} ms, {what}"
    return [
        within(
            f"{name}: 95th percentile (median {median(took):.0f} ms)", quantiles(took, n=20)[-1], "ms", limit=LIMIT_MS
        ),
        within(f"{name}: most calls per customer ({summary})", max(calls.values()), "", limit=MOST_CALLS),
    ]


def _in_the_browser(crowd: Crowd) -> list[Row]:
    times: dict[float, list[float]] = {0.0: [], SLOW_SECONDS: []}
    with chromium() as browser:
        for turn in range(_LOOKS + 1):
            for slow, samples in times.items():
                crowd.set_faults(slow=slow)
                crowd.forget_answers()
                crowd.age_mirrors()
                seconds = _look(crowd, browser, crowd.cookies[turn])
                if turn:
                    samples.append(seconds)
                _settle(crowd)
    healthy, slow_ms = (median(samples) * 1000 for samples in times.values())
    name = f"dashboards: rows in the browser, old mirrors, WHMCS at {SLOW_SECONDS * 1000:.0f} ms"
    return [versus(name, slow_ms, "ms", peer=("WHMCS healthy", healthy), most=1.5)]


def _look(crowd: Crowd, browser: Browser, cookie: str) -> float:
    """Return the seconds until the page shows the customer's service."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": crowd.demo.url}])
    page = context.new_page()
    began = time.perf_counter()
    page.goto(f"{crowd.demo.url}/dashboard", wait_until="commit")
    page.locator("a[href*='/subscriptions/']").first.wait_for(timeout=30_000)
    took = time.perf_counter() - began
    context.close()
    return took


def _settle(crowd: Crowd) -> None:
    """Wait until all reads caused by the page views have ended, or their number no longer changes."""
    deadline, last, still_since = time.monotonic() + _LONGEST_SETTLING, crowd.calls(), time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = crowd.calls()
        if now != last:
            last, still_since = now, time.monotonic()
        if time.monotonic() - still_since > 3:
            break
