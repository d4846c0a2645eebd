"""Sign-in: known compared with unknown addresses, cost relative to a bcrypt check, and effect of many on pages."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from statistics import median

import bcrypt
import httpx

from benchmarks.demo import BEN, NO_LIMITS, Demo, cookie_line, running_demo
from benchmarks.stage import Stage
from benchmarks.table import Row, versus, within
from portal_app.jobs.demo_customers import PASSWORD

LOGIN, PAGE = "/api/auth/login", "/api/invoices"
AIKO = "aiko@example.jp"
_TRIES, _STORM, _LOW_ROUNDS = 300, 50, "4"
# Without a difference, one of a thousand comparisons exceeds this rank statistic.
_MOST_Z = 3.3


def measure(stage: Stage) -> list[Row]:
    """Compare known and unknown addresses with few bcrypt rounds; measure the rest with the rounds of production."""
    with running_demo(stage.scratch / "entry", **NO_LIMITS, BCRYPT_ROUNDS=_LOW_ROUNDS) as quick:
        rows = _enumeration(quick)
    return rows + asyncio.run(_cost(stage.demo)) + asyncio.run(_storm(stage.demo))


def _enumeration(demo: Demo) -> list[Row]:
    times: dict[str, list[float]] = {BEN: [], "nob@example.jp": []}
    order = list(times) * _TRIES
    random.Random(7).shuffle(order)
    with httpx.Client(base_url=demo.url) as http:
        for email in [*times] * 10:
            http.post(LOGIN, json={"email": email, "password": "wrong"})
        for email in order:
            began = time.perf_counter()
            answer = http.post(LOGIN, json={"email": email, "password": "wrong"})
            times[email].append((time.perf_counter() - began) * 1000)
            if answer.status_code != 401:
                raise SystemExit(f"a wrong password got {answer.status_code}")
    known, unknown = times.values()
    ratios = ", ".join(
        f"{name} p10 {_at(values, 0.1):.1f} p50 {_at(values, 0.5):.1f} p90 {_at(values, 0.9):.1f}"
        for name, values in (("known", known), ("unknown", unknown))
    )
    return [
        versus(f"sign-in, known address ({ratios})", median(known), "ms", peer=("unknown", median(unknown)), most=1.05),
        within("sign-in, known against unknown: rank test, |z|", abs(_rank_z(known, unknown)), "", limit=_MOST_Z),
    ]


async def _cost(demo: Demo) -> list[Row]:
    hashed = bcrypt.hashpw(b"one password of this measurement", bcrypt.gensalt(12))
    bare, ours = [], []
    async with httpx.AsyncClient(base_url=demo.url, timeout=30) as http:
        for _ in range(12):
            bare.append(await _timed(lambda: asyncio.to_thread(bcrypt.checkpw, b"another", hashed)))
            ours.append(await _timed(lambda: _sign_in(http)))
    peer = ("one bcrypt check", median(bare))
    return [versus("sign-in, right password, 12 rounds", median(ours), "ms", peer=peer, most=1.5)]


async def _storm(demo: Demo) -> list[Row]:
    with demo.signed_in() as ben:
        headers = {"Cookie": cookie_line(ben)}
    async with httpx.AsyncClient(base_url=demo.url, timeout=120) as http:

        async def look() -> None:
            (await http.get(PAGE, headers=headers)).raise_for_status()
            # The pause between two page views of a person.
            await asyncio.sleep(0.02)

        for _ in range(20):
            await look()
        idle = [await _timed(look) - 20 for _ in range(60)]
        storm = [asyncio.create_task(_sign_in_separately(demo)) for _ in range(_STORM)]
        busy = []
        while not all(task.done() for task in storm):
            busy.append(await _timed(look) - 20)
        await asyncio.gather(*storm)
    name = f"another customer's {PAGE} while {_STORM} sign in ({len(busy)} looks)"
    return [versus(name, median(busy), "ms", peer=("idle", median(idle)), most=2)]


async def _sign_in(http: httpx.AsyncClient) -> None:
    (await http.post(LOGIN, json={"email": AIKO, "password": PASSWORD})).raise_for_status()
    http.cookies.clear()


async def _sign_in_separately(demo: Demo) -> None:
    async with httpx.AsyncClient(base_url=demo.url, timeout=120) as http:
        await _sign_in(http)


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


def _at(values: list[float], part: float) -> float:
    return sorted(values)[int(part * (len(values) - 1))]


def _rank_z(one: list[float], other: list[float]) -> float:
    """Return the z value of the Mann-Whitney rank test: 0 if neither sample tends to be larger."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(place for place, (_, which) in enumerate(ranked, 1) if which == 0)
    pairs = len(one) * len(other)
    expected = pairs / 2 + len(one) * (len(one) + 1) / 2
    return (ranks - expected) / math.sqrt(pairs * (len(one) + len(other) + 1) / 12)
