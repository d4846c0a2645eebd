"""A SIM line's route: calls of the carrier, warm against the service's own route, a carrier that is slow or silent.

Then: data bought until they are on the line, and files of ten thousand rows imported. Builds no pages.
"""

import asyncio
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID, uuid4

import httpx
import psycopg
from redis import Redis

from benchmarks.stage import Stage
from benchmarks.table import Row, versus, within
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.infra.clock import today
from portal_app.infra.settings import Settings
from portal_app.models.line_change import LINE_PLACE
from portal_app.models.sim_line import SimLineRow
from portal_app.wiring.portal import Portal, build
from tests.support.running.processes import Processes
from tests.support.running.web_process import running_web
from tests.support.running.world import PASSWORD, world

HANA, ROWS = "hana@example.jp", 10_000
_VIEWS, _WARM, _COLD, _PURCHASES = 10, 200, 5, 12
_SLOW_SECONDS = 0.8
_NO_LIMITS = {
    "portal_api_limit": "1000000/minute", "portal_change_limit": "1000000/minute", "whmcs_rate": "100000/minute",
    "freebit_rate": "100000/minute",
    # The world of tests waits longer than customers do.
    "mirror_patience_seconds": Settings.model_fields["mirror_patience_seconds"].default,
}  # fmt: skip
_SERVICES = "SELECT service_id FROM sim_lines WHERE state = 'linked' AND service_id < %s ORDER BY service_id"
# Where services of the file's lines begin: no real one is so high.
_FIRST = 5_000_000


def measure(stage: Stage) -> list[Row]:
    """Measure on a web process and a worker of their own, with the sandbox's customer of three SIM lines."""
    settings = world().settings_with(**_NO_LIMITS)
    worker = build(settings, role="worker")
    user_id = asyncio.run(_link(worker))
    with running_web(stage.scratch / "sim-web.log", **_NO_LIMITS) as site, _signed_in(site) as hana:
        lines = _Lines(hana)
        rows = [*lines.calls(), *lines.warm(), *lines.cold()]
        rows += _purchases(stage.scratch, settings, hana, lines.services)
    return [*rows, *asyncio.run(_imports(settings, user_id))]


class _Lines:
    """The lines of one customer, read over HTTP."""

    def __init__(self, hana: httpx.Client) -> None:
        self._hana = hana
        with psycopg.connect(world().postgres.url()) as database:
            self.services = [row[0] for row in database.execute(_SERVICES, (_FIRST,))]

    def calls(self) -> list[Row]:
        """Count the carrier's calls of a cold view, and of ten views of each line within minutes."""
        self._forget()
        before = _carrier_calls()
        self._get(self.services[0])
        cold = _carrier_calls() - before
        for service in self.services:
            for _ in range(_VIEWS):
                self._get(service)
        most = (_carrier_calls() - before) / len(self.services)
        again = _carrier_calls()
        self._get(self.services[0])
        return [
            within("sim: calls of the carrier, cold line", cold, "calls", limit=3),
            within(f"sim: calls of the carrier for each line, {_VIEWS} views in minutes", most, "calls", limit=3),
            within("sim: calls of the carrier, line read minutes ago", _carrier_calls() - again, "calls", limit=0),
        ]

    def warm(self) -> list[Row]:
        """Compare the warm route with that of the service, in turn."""
        service, times = self.services[0], ([], [])
        for _ in range(_WARM):
            for place, end in enumerate(("/sim", "")):
                times[place].append(_milliseconds(lambda end=end: self._get(service, end)))
        line, peer = (median(each[20:]) for each in times)
        return [versus("sim: warm route, median", line, "ms", peer=("service's route", peer), most=1.2)]

    def cold(self) -> list[Row]:
        """Time a cold route while the carrier takes its time, and while it says nothing."""
        rows = []
        faults = (("at 800 ms", {"slow": _SLOW_SECONDS}, 1500), ("silent", {"broken": "silence"}, 2000))
        for name, fault, limit in faults:
            times, dated = [], 0
            for _ in range(_COLD):
                self._forget()
                world().set_faults("freebit", **fault)
                began = time.perf_counter()
                dated += self._get(self.services[0])["as_of"] is not None
                times.append((time.perf_counter() - began) * 1000)
                world().set_faults("freebit")
            what = f"sim: cold line, carrier {name}, slowest of {_COLD} ({dated} with saved, dated data)"
            rows.append(within(what, max(times), "ms", limit=limit))
        return rows

    def _forget(self) -> None:
        with psycopg.connect(world().postgres.url(), autocommit=True) as database:
            database.execute("UPDATE sim_lines SET read_at = NULL")
        with Redis.from_url(str(world().settings.redis_url)) as redis:
            for key in (*redis.scan_iter("c:freebit-usage:*"), b"breaker:{freebit}"):
                redis.delete(key)

    def _get(self, service: int, end: str = "/sim") -> dict[str, object]:
        return dict(self._hana.get(f"/api/subscriptions/{service}{end}").raise_for_status().json())


def _purchases(scratch: Path, settings: Settings, hana: httpx.Client, services: list[int]) -> list[Row]:
    """Time data from the press of the button until they are on the line, one purchase after the other."""
    took, processes = [], Processes(scratch)
    try:
        processes.start_all("worker", settings=settings)
        for turn in range(_PURCHASES + 1):
            path = f"/api/subscriptions/{services[turn % len(services)]}/sim/top-ups"
            gigabyte = hana.get(path).raise_for_status().json()
            total = gigabyte["price"]["minor"] * (100 + gigabyte["tax_percent"]) // 100
            origin = {"Origin": str(hana.base_url).rstrip("/"), "Idempotency-Key": uuid4().hex}
            began = time.perf_counter()
            wanted = {"gigabytes": 1, "total": total}
            bought = hana.post(path, json=wanted, headers=origin).raise_for_status().json()["id"]
            standing = _standing(hana, path, bought)
            seconds = time.perf_counter() - began
            if standing != "done":
                raise SystemExit(f"a purchase came to {standing}")
            took += [seconds] if turn else []
    finally:
        processes.kill_all()
    p95 = quantiles(took, n=20)[-1]
    return [within(f"sim: click until data, 95th percentile (median {median(took):.1f} s)", p95, "s", limit=5)]


def _standing(hana: httpx.Client, path: str, bought: str) -> str:
    ends, deadline = ("done", "stopped", "with_team"), time.monotonic() + 60
    standing = ""
    while standing not in ends and time.monotonic() < deadline:
        time.sleep(0.05)
        items = hana.get(path).raise_for_status().json()["items"]
        standing = next(each["standing"] for each in items if each["id"] == bought)
    return standing


async def _link(worker: Portal) -> UUID:
    """Link Hana's lines as the worker does, and return who she is."""
    with psycopg.connect(world().postgres.url()) as database:
        people = database.execute("SELECT user_id, whmcs_client_id FROM id_mappings").fetchall()
    found = None
    for user_id, client_id in people:
        for service in await worker.vendors.subscriptions.subscriptions(client_id):
            if service.is_live_line("sim"):
                await worker.sim.links.link(user_id, service.id)
                found = user_id
    if found is None:
        raise SystemExit("the world has no customer with a SIM line")
    return found


async def _imports(settings: Settings, user_id: UUID) -> list[Row]:
    """Import a day of ten thousand lines, and as many calls, twice each."""
    worker = build(settings, role="worker")
    numbers = [f"0908{place:07}" for place in range(ROWS)]
    body = LineSnapshot(state="active", started_on=today() - timedelta(days=100)).to_json()
    async with worker.database.unit_of_work() as session:
        for place, number in enumerate(numbers):
            index = worker.identity.secrets.ring.index(number, LINE_PLACE)
            row = SimLineRow(service_id=_FIRST + place, user_id=user_id, number=number, number_index=index, body=body)
            row.iccid = row.eid = ""
            session.add(row)
    day = today() - timedelta(days=1)
    usage = ["account,date,traffic", *(f"{number},{day:%Y%m%d},{1000 + place}" for place, number in enumerate(numbers))]
    calls = ["account,datetime,type,number,seconds,charge"]
    calls += [f"{number},{day:%Y%m%d}120000,voice,09000000000,60,22" for number in numbers]
    rows, before = [], _carrier_calls()
    for name, text, run in (
        ("daily usage", usage, worker.sim.usage_imports.run),
        ("calls", calls, lambda content: worker.calls.imports.run(io.BytesIO(content))),
    ):
        content = "\r\n".join(text).encode()
        for turn in ("", ", again"):
            began = time.perf_counter()
            done = await run(content)
            seconds = time.perf_counter() - began
            written = done.changed + getattr(done, "added", 0)
            what = f"sim: file of {name} of {ROWS:,} lines{turn} ({written:,} written)"
            rows.append(within(what, seconds, "s", limit=10))
    rows.append(within("sim: calls of the carrier by both files", _carrier_calls() - before, "calls", limit=0))
    await worker.close()
    return rows


@contextmanager
def _signed_in(site: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.portal_url, timeout=30) as client:
        client.post("/api/auth/login", json={"email": HANA, "password": PASSWORD}).raise_for_status()
        yield client


def _carrier_calls() -> int:
    counted = httpx.get(f"{world().office}/api/calls").raise_for_status().json().get("freebit", {})
    return sum(count for name, count in counted.items() if name != "authOem/")


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000
