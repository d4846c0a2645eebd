"""The days of a SIM line as its page shows them, compressed: the chart with its table."""

import gzip

import httpx

from benchmarks.chromium import chromium, context_of
from benchmarks.stage import Stage
from benchmarks.table import Row, within

HANA = "hana@example.jp"
_SVG, _TABLE = "main figure svg", "main figure table"
_LIMIT = 1500


def measure(stage: Stage) -> list[Row]:
    """Return the bytes of chart and table as the browser has them."""
    with stage.demo.signed_in(HANA) as hana, chromium() as browser:
        page = context_of(browser, hana).new_page()
        page.goto(f"{stage.demo.url}/subscriptions/{_service_of(hana)}")
        figure = page.locator(_SVG)
        figure.wait_for()
        parts = [page.locator(each).first.evaluate("element => element.outerHTML") for each in (_SVG, _TABLE)]
        days = page.locator(f"{_SVG} rect").count()
    size = len(gzip.compress("".join(parts).encode()))
    alone = len(gzip.compress(parts[0].encode()))
    return [
        within(f"chart: {days} days, compressed", alone, "B", limit=_LIMIT),
        within(f"chart: {days} days with their table, compressed", size, "B", limit=2 * _LIMIT),
    ]


def _service_of(hana: httpx.Client) -> int:
    for service in hana.get("/api/subscriptions").raise_for_status().json()["items"]:
        line = hana.get(f"/api/subscriptions/{service['id']}/sim")
        if line.status_code == 200 and line.json()["link"] == "linked":
            return int(service["id"])
    raise SystemExit("Hana has no linked line")
