"""What a page costs to open: bytes over the wire, requests, largest paint, each in a browser with nothing cached."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import httpx
from playwright.sync_api import Browser

from benchmarks.chromium import chromium, context_of
from benchmarks.stage import Stage
from benchmarks.table import Row, versus, within

LOADS = 5
PUBLIC_LIMIT_KB = 20
ABOVE_LEAN_KB = 20
MOST_REQUESTS = 14
LIVE = ("/dashboard", "/billing/invoices")
# Longer than any push that follows the load event; paint times are the browser's own and do not contain it.
_SETTLE_MS = 600
_OBSERVER = """
window.__paint = 0;
new PerformanceObserver(list => { for (const entry of list.getEntries()) window.__paint = entry.startTime; })
    .observe({type: 'largest-contentful-paint', buffered: true});
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One cold load: kilobytes (of 1000) with headers, requests, largest paint in milliseconds."""

    kilobytes: float
    requests: int
    paint: float


def measure(stage: Stage) -> list[Row]:
    """Load our pages and both peers in turn, and compare the medians."""
    demo = stage.demo
    with demo.signed_in() as ben, chromium() as browser:
        targets: dict[str, tuple[str, httpx.Client | None]] = {
            "/": (f"{demo.url}/", None),
            **{path: (demo.url + path, ben) for path in LIVE},
            "lean": (f"{stage.lean}/", None),
            "default": (f"{stage.default}/", None),
        }
        loads: dict[str, list[Load]] = {name: [] for name in targets}
        # The first round fills the servers' caches and is not counted.
        for turn in range(LOADS + 1):
            for name in _rotated(list(targets), turn):
                load = _load(browser, *targets[name])
                if turn:
                    loads[name].append(load)
    middle = {name: _middle(rounds) for name, rounds in loads.items()}
    return [*_public("/", middle), *(row for path in LIVE for row in _live(path, middle))]


def _public(path: str, middle: dict[str, Load]) -> list[Row]:
    return [
        within(f"pages: {path} size", middle[path].kilobytes, "KB", limit=PUBLIC_LIMIT_KB),
        versus(f"pages: {path} requests", middle[path].requests, "", peer=("default", middle["default"].requests)),
        _paint(path, middle),
    ]


def _live(path: str, middle: dict[str, Load]) -> list[Row]:
    size, lean = middle[path].kilobytes, middle["lean"].kilobytes
    is_light = size <= lean + ABOVE_LEAN_KB
    return [
        Row(f"pages: {path} size", size, "KB", "lean", lean, goal=f"<= lean + {ABOVE_LEAN_KB} KB", is_ok=is_light),
        within(f"pages: {path} requests", middle[path].requests, "", limit=MOST_REQUESTS),
        _paint(path, middle),
    ]


def _paint(path: str, middle: dict[str, Load]) -> Row:
    return versus(
        f"pages: {path} largest paint", middle[path].paint, "ms", peer=("default", middle["default"].paint), most=1
    )


def _load(browser: Browser, address: str, client: httpx.Client | None) -> Load:
    context = context_of(browser, client)
    page = context.new_page()
    page.add_init_script(_OBSERVER)
    wire = context.new_cdp_session(page)
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    answer = page.goto(address, wait_until="networkidle")
    page.wait_for_timeout(_SETTLE_MS)
    if answer is None or answer.status != 200 or page.url != address:
        raise SystemExit(f"{address} led to {page.url}")
    # Data addresses end as a request of no bytes.
    seen = [size for size in sizes if size > 0]
    load = Load(sum(seen) / 1000, len(seen), page.evaluate("window.__paint"))
    context.close()
    return load


def _rotated(names: list[str], turn: int) -> list[str]:
    """Rotate the order in each round: on a busy machine the order of the loads affects their times."""
    first = turn % len(names)
    return names[first:] + names[:first]


def _middle(loads: Sequence[Load]) -> Load:
    return Load(
        kilobytes=median(load.kilobytes for load in loads),
        requests=round(median(load.requests for load in loads)),
        paint=median(load.paint for load in loads),
    )
