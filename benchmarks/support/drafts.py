"""Drafts: fifty people who type at once, and how often a page saves what one of them types."""

import asyncio
import time
from uuid import uuid4

import httpx

from benchmarks.chromium import chromium, context_of
from benchmarks.demo import cookie_line
from benchmarks.stage import Stage
from benchmarks.support.both_sides import BothSides, both_sides, p95
from benchmarks.table import Row, within

TYPISTS, TURNS = 50, 10
LONGEST_MS, MOST_WRITES = 150.0, 1.0
_LETTERS, _KEY_MS, _PAUSE_SECONDS = 60, 90, 1.0


def measure(stage: Stage) -> list[Row]:
    """Save a draft of each typist once a second; then type on a page, with pauses for thought."""
    with both_sides(stage.support) as sides:
        took = asyncio.run(_typists(sides))
        writes, seconds = _typed(sides)
    return [
        within(f"draft: saved, {TYPISTS} typists, p95", p95(took), "ms", limit=LONGEST_MS),
        within("draft: writes a second while one types on a page", writes / seconds, "", limit=MOST_WRITES),
    ]


async def _typists(sides: BothSides) -> list[float]:
    headers = {"Cookie": cookie_line(sides.customer), "Origin": sides.demo.url}
    limits = httpx.Limits(max_connections=TYPISTS, max_keepalive_connections=TYPISTS)
    async with httpx.AsyncClient(base_url=sides.demo.url, headers=headers, limits=limits, timeout=30) as client:
        found = await asyncio.gather(*(_type(client, number / TYPISTS) for number in range(TYPISTS)))
    return [ms for each in found for ms in each]


async def _type(client: httpx.AsyncClient, offset: float) -> list[float]:
    """Return the milliseconds of one typist's saves, one a second; the first, which opens a connection, apart."""
    path, version, took = f"/api/drafts/{uuid4()}", 0, []
    await asyncio.sleep(offset)
    for turn in range(TURNS + 1):
        began = time.perf_counter()
        body = {"content": "長い文章です。" * (turn + 1) * 10, "version": version}
        answer = await client.put(path, json=body, headers={"Idempotency-Key": uuid4().hex})
        version = answer.raise_for_status().json()["version"]
        lasted = time.perf_counter() - began
        if turn:
            took.append(lasted * 1000)
        await asyncio.sleep(max(0.0, 1 - lasted))
    return took


def _typed(sides: BothSides) -> tuple[int, float]:
    """Return how often a draft was written while it was typed, and for how many seconds."""
    case_id, _ = sides.ask("A draft")
    with chromium() as browser:
        page = context_of(browser, sides.customer).new_page()
        page.goto(f"{sides.demo.url}/support/cases/{case_id}")
        box = page.get_by_label("Your message")
        box.wait_for(timeout=30_000)
        page.wait_for_load_state("networkidle")
        began = time.monotonic()
        for _ in range(_LETTERS // 10):
            box.press_sequentially("ten letter", delay=_KEY_MS)
            time.sleep(_PAUSE_SECONDS)
        seconds = time.monotonic() - began
        page.get_by_text("Draft saved").wait_for(timeout=30_000)
    return int(sides.customer.get(f"/api/drafts/{case_id}").raise_for_status().json()["version"]), seconds
