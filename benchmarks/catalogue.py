"""The catalogue: concurrent requests cause one read of the vendors, and the cache makes pages faster."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import httpx

from benchmarks.stage import Stage
from benchmarks.table import Row, versus, within
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.client import connect
from portal_app.infra.redis.tags import CATALOG
from portal_app.infra.settings import Settings
from portal_app.local.servers.valkey import EmbeddedValkey
from portal_app.wiring.portal import build
from tests.support.running.world import running_sandbox

PROCESSES, READERS, ROUNDS = 2, 100, 5
PAGES, TURNS, WARM_UP = ("/plans/sim", "/api/services/sim"), 40, 5
# How many times faster a page must be with a cached catalogue.
MOST = 0.5
# The vendor calls of one read of the catalogue.
_UPSTREAM = {"salesforce": "query", "whmcs": "GetProducts"}


def stampede(stage: Stage) -> list[Row]:
    """Let two processes with a hundred readers each request an uncached catalogue, several times."""
    with (
        EmbeddedValkey(stage.scratch / "stampede-valkey") as valkey,
        running_sandbox(stage.scratch / "stampede-vendors") as reach,
        _reading_processes(reach | {"portal_env": "development", "redis_url": valkey.url()}) as processes,
    ):
        calls: list[dict[str, int]] = []
        took: list[float] = []
        for _ in range(ROUNDS):
            asyncio.run(_invalidate(valkey.url()))
            before = _calls(reach)
            took.append(max(_read_at_once(processes, READERS)))
            calls.append({vendor: count - before[vendor] for vendor, count in _calls(reach).items()})
        alone = []
        for _ in range(ROUNDS):
            asyncio.run(_invalidate(valkey.url()))
            alone += _read_at_once(processes[:1], 1)
    if any(each[vendor] == 0 for each in calls for vendor in _UPSTREAM):
        raise SystemExit(f"a catalogue was read without vendor calls: {calls}")
    name = f"catalogue: {PROCESSES * READERS} readers in {PROCESSES} processes"
    rows = [
        within(f"{name}, calls to {vendor}", max(each[vendor] for each in calls), "calls", limit=1)
        for vendor in _UPSTREAM
    ]
    return [*rows, versus(f"{name}, the last one", median(took), "ms", peer=("one reader alone", median(alone)))]


def pages(stage: Stage) -> list[Row]:
    """Request a page with a cached and with an uncached catalogue, alternating."""
    valkey = stage.demo.redis_url()
    return [
        versus(f"catalogue: {path}, cached", cached, "ms", peer=("nothing cached", uncached), most=MOST)
        for path in PAGES
        for cached, uncached in [asyncio.run(_times(stage.demo.url + path, valkey))]
    ]


async def _times(url: str, valkey: str) -> tuple[float, float]:
    """Return the median milliseconds with a cached and with an invalidated catalogue."""
    cached, uncached = [], []
    async with httpx.AsyncClient(timeout=30) as http:
        for turn in range(WARM_UP + TURNS):
            took = []
            for is_forgotten in (True, False):
                if is_forgotten:
                    await _invalidate(valkey)
                began = time.perf_counter()
                (await http.get(url)).raise_for_status()
                took.append((time.perf_counter() - began) * 1000)
            if turn >= WARM_UP:
                uncached.append(took[0])
                cached.append(took[1])
    return median(cached), median(uncached)


async def _invalidate(url: str) -> None:
    redis = connect(url, seconds=5)
    await Cache(redis).invalidate(CATALOG)
    await redis.aclose()


def _calls(reach: dict[str, str]) -> dict[str, int]:
    """Return the number of catalogue calls per vendor, as counted by the sandbox."""
    counts = httpx.get(f"{reach['sandbox_office_url']}/api/calls").raise_for_status().json()
    return {vendor: counts[vendor].get(operation, 0) for vendor, operation in _UPSTREAM.items()}


@contextmanager
def _reading_processes(settings: dict[str, str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Start the reading processes and yield them when all are ready."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.catalogue"]
    env = {**os.environ, **{name.upper(): value for name, value in settings.items()}}
    started = [
        subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    try:
        for process in started:
            _told(process, "ready")
        yield started
    finally:
        for process in started:
            process.communicate(timeout=20)


def _read_at_once(processes: list[subprocess.Popen[str]], readers: int) -> list[float]:
    """Let all processes read at the same time; return the milliseconds of the last reader of each."""
    for process in processes:
        print(readers, file=process.stdin, flush=True)
    return [float(_told(process, "took")) for process in processes]


def _told(process: subprocess.Popen[str], word: str) -> str:
    """Return the rest of a process's next output line with this prefix; log lines are skipped."""
    for line in process.stdout or ():
        if line.startswith(f"{word}:"):
            return line.partition(":")[2]
    raise SystemExit("a reader broke")


async def _read() -> None:
    """For each line of the input, read with that many readers; until the end of the input."""
    portal = build(Settings(), role="web")
    await portal.cache.peek("connected?")
    print("ready:", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        began = time.perf_counter()
        found = await asyncio.gather(*(portal.catalog.plans("sim") for _ in range(int(line))))
        took = (time.perf_counter() - began) * 1000
        if not found[0] or not all(plan.is_orderable for plans in found for plan in plans):
            raise SystemExit("the catalogue is not whole")
        print(f"took:{took}", flush=True)
    await portal.close()


if __name__ == "__main__":
    asyncio.run(_read())
