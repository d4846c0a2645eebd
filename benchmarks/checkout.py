"""Fifty concurrent checkouts with one idempotency key: one order, and no caller waits much longer than the first."""

import asyncio
import json
import time
import uuid
from statistics import median
from urllib.parse import urlsplit

import httpx
import psycopg

from benchmarks.demo import Demo, cookie_line
from benchmarks.stage import Stage
from benchmarks.table import Row, versus, within

AT_ONCE, BURSTS, WARM_UP = 50, 10, 2
MOST = 1.2
_LONGEST_WAIT_SECONDS = 30
_END = b"\r\n\r\n"
# The time of a response in milliseconds since the start of the burst, and the order id in it.
Answer = tuple[float, str]


def measure(stage: Stage) -> list[Row]:
    """Send the bursts one after the other, then count the orders in the portal and in Salesforce."""
    demo = stage.demo
    with demo.signed_in() as ben, psycopg.connect(demo.database_url(), autocommit=True) as database:
        sku = ben.get("/api/services/vpn").raise_for_status().json()["items"][0]["sku"]
        before = _count(database)
        bursts = [asyncio.run(_burst(demo, cookie_line(ben), sku)) for _ in range(WARM_UP + BURSTS)]
        made = _count(database) - before
    most_named = max(len({order for _, order in burst}) for burst in bursts)
    handed_over = _handed_over(demo, {order for burst in bursts for _, order in burst})
    ones, waiters = zip(*(_split(burst) for burst in bursts[WARM_UP:]), strict=True)
    peer = ("who was answered first", median(ones))
    return [
        within(f"checkout: orders named to {AT_ONCE} at once with one key", most_named, "orders", limit=1),
        within("checkout: orders written for each key", made / len(bursts), "orders", limit=1),
        within("checkout: orders at Salesforce for each key", handed_over / len(bursts), "orders", limit=1),
        versus("checkout: the last of those who wait", median(waiters), "ms", peer=peer, most=MOST),
    ]


def _split(burst: list[Answer]) -> tuple[float, float]:
    """Return the time of the first and of the last response."""
    times = sorted(at for at, _ in burst)
    return times[0], times[-1]


async def _burst(demo: Demo, cookies: str, sku: str) -> list[Answer]:
    """Send one order many times at once, over open connections."""
    parts = urlsplit(demo.url)
    body = json.dumps({"sku": sku, "terms_accepted": True}).encode()
    lines = [
        "POST /api/orders HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Cookie: {cookies}",
        f"Idempotency-Key: {uuid.uuid4()}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    request = "\r\n".join(lines).encode() + _END + body
    connections = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(AT_ONCE)]
    began = time.perf_counter()
    for _, writer in connections:
        writer.write(request)
    return list(await asyncio.gather(*(_answer(reader, writer, began) for reader, writer in connections)))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, began: float) -> Answer:
    status = await reader.readline()
    at = (time.perf_counter() - began) * 1000
    rest = await reader.read()
    writer.close()
    if b" 201" not in status:
        raise SystemExit(f"a checkout got {status.decode().strip()}: {rest[-300:].decode()}")
    return at, str(json.loads(rest.partition(_END)[2])["id"])


def _count(database: psycopg.Connection) -> int:
    row = database.execute("SELECT count(*) FROM orders").fetchone()
    return int(row[0]) if row else 0


def _handed_over(demo: Demo, orders: set[str]) -> int:
    """Wait until Salesforce has all orders, and return how many it has."""
    end = time.monotonic() + _LONGEST_WAIT_SECONDS
    while True:
        rows = httpx.get(f"{demo.office}/api/orders", timeout=20).raise_for_status().json()
        found = [row["portal_order_id"] for row in rows if row["portal_order_id"] in orders]
        if set(found) == orders or time.monotonic() > end:
            return len(found)
        time.sleep(0.2)
