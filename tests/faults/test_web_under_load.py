"""Redis, PostgreSQL and WHMCS go wrong in every way under a busy web process: honest answers, and back by itself."""

import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from benchmarks.event_socket import event_socket
from portal_app.infra.redis.client import connect
from tests.faults.visitors import Visitors, visiting
from tests.support.running.gate import Gate, gate_to
from tests.support.running.site import ACCOUNT, HYDRATE, Site, received_until, running_site
from tests.support.running.world import BEN, world
from tests.support.waiting import until

PAGES = ("/dashboard", "/billing/invoices")
READS = ("/api/me/summary", "/api/invoices", "/api/subscriptions", "/api/me", "/api/invoices/2")
READY, LIVE = "/api/health/ready", "/api/health/live"
# More than all pools of both workers have connections.
CROWD = 60
# Everything that is read is old the next moment: WHMCS is asked all the time.
RESTLESS = {
    "cache_invoices_seconds": 1,
    "cache_invoice_seconds": 1,
    "cache_subscriptions_seconds": 1,
    "mirror_trust_seconds": 1,
    "cache_profile_seconds": 1,
    "whmcs_timeout": 2.0,
    "portal_breaker_failures": 3,
    "portal_breaker_seconds": 1.0,
    # Shorter than in the tests' world, as this test is about slow servers; but a server that is well must not be taken
    # for a slow one because the machine is busy.
    "redis_timeout": 1.0,
    "mirror_patience_seconds": 1.5,
    "database_wait": 0.5,
}


@dataclass(frozen=True)
class Busy:
    """A web process with visitors, the way to its Redis, and the Cookie line of one of them."""

    site: Site
    visitors: Visitors
    redis: Gate
    cookies: str

    def workers(self) -> list[str]:
        """Return the processes that serve, by their numbers: a restart would change them."""
        number = self.site.process.pid
        supervisor = Path(f"/proc/{number}/task/{number}/children").read_text().split()[0]
        return Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()

    async def is_ready(self) -> bool:
        return (await self.visitors.ask(READY)).status == 200

    async def is_red(self) -> bool:
        answer = await self.visitors.ask(READY)
        return answer.status == 503 and answer.is_honest

    async def is_well(self) -> bool:
        """Say whether everything answers, a live page too."""
        answers = [await self.visitors.ask(path) for path in (READY, *PAGES, *READS)]
        return all(answer.status == 200 for answer in answers)

    async def live_page_works(self) -> None:
        """Open a live page and wait for its data."""
        async with event_socket(self.site.url, "/account", cookies=self.cookies) as tab:
            await tab.send(HYDRATE)
            await tab.send(ACCOUNT)
            await received_until(tab, f'"{BEN}"')


@pytest_asyncio.fixture(scope="module")
async def busy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Busy]:
    log = tmp_path_factory.mktemp("site") / "web.log"
    with (
        gate_to(world().settings.redis_url) as (gate, redis_url),
        running_site(log, redis_url=redis_url, **RESTLESS) as site,
    ):
        _, cookies = site.sign_in(BEN)
        async with visiting(site.url, cookies, (*PAGES, *READS, LIVE)) as visitors:
            yield Busy(site, visitors, gate, cookies)


@contextmanager
def redis_away(busy: Busy) -> Iterator[None]:
    busy.redis.close()
    yield
    busy.redis.open()


@contextmanager
def redis_slow(busy: Busy) -> Iterator[None]:
    busy.redis.seconds = 3.0
    yield
    busy.redis.open()


@contextmanager
def redis_restarted(busy: Busy) -> Iterator[None]:
    valkey = world().valkey
    os.kill(int((valkey.home / "valkey.pid").read_text()), signal.SIGKILL)
    valkey.stop()
    try:
        yield
    finally:
        valkey.start()


@contextmanager
def postgresql_restarted(busy: Busy) -> Iterator[None]:
    world().postgres.stop()
    try:
        yield
    finally:
        world().postgres.start()


@contextmanager
def postgresql_read_only(busy: Busy) -> Iterator[None]:
    with psycopg.connect(world().postgres.url(), autocommit=True) as owner:
        owner.execute("SET default_transaction_read_only = off")
        owner.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        owner.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            owner.execute("ALTER SYSTEM RESET default_transaction_read_only")
            owner.execute("SELECT pg_reload_conf()")


@contextmanager
def tables_locked(busy: Busy) -> Iterator[None]:
    """Let every transaction wait for a lock: with a crowd, each connection of the pool is held by one that waits."""
    with psycopg.connect(world().postgres.url()) as owner:
        owner.execute("LOCK TABLE users, sessions, id_mappings, mirror_states, orders, profiles")
        yield
        owner.rollback()


TROUBLE: dict[str, Callable[[Busy], AbstractContextManager[None]]] = {
    "Redis is away": redis_away,
    "Redis is slow by three seconds": redis_slow,
    "Redis is killed and started again": redis_restarted,
    "PostgreSQL is restarted": postgresql_restarted,
    "PostgreSQL is read-only": postgresql_read_only,
    "no connection is left": tables_locked,
}


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_a_failing_server_is_reported_and_its_recovery_noticed(busy: Busy, trouble: str) -> None:
    await until(busy.is_well, "all is well before")
    workers = busy.workers()
    crowd = CROWD if trouble == "no connection is left" else 0
    async with visiting(busy.site.url, busy.cookies, READS, at_once=crowd) as others:
        with TROUBLE[trouble](busy):
            await until(busy.is_red, "readiness is red")
            seen = await busy.visitors.look_around()
            # A connection may come free for a moment.
            await until(busy.is_red, "readiness is red still")
        seen += others.answers
    assert [answer for answer in seen if not answer.is_honest] == []
    assert {answer.status for answer in seen if answer.path == LIVE} == {200}
    await until(busy.is_well, "all is well again")
    await until(busy.is_ready, "readiness is green")
    await busy.live_page_works()
    assert busy.workers() == workers


async def test_a_flushed_redis_disturbs_no_customer(busy: Busy) -> None:
    await until(busy.is_well, "all is well before")
    redis, seen = connect(world().settings.redis_url, seconds=5), []
    for _ in range(3):
        await redis.flushall()
        seen += await busy.visitors.look_around()
    await redis.aclose()
    assert {answer.status for answer in seen} == {200}
    await busy.live_page_works()


FROM_WHMCS = {"/api/me/summary", "/api/invoices", "/api/subscriptions", "/api/invoices/2"}
OUTAGES = {
    "is down": {"down": True},
    "says nothing": {"broken": "silence"},
    "answers half": {"broken": "half"},
    "takes 800 ms": {"slow": 0.8},
}


@pytest.mark.parametrize("outage", OUTAGES)
async def test_failing_whmcs_stops_nothing_and_its_recovery_is_noticed(busy: Busy, outage: str) -> None:
    await until(busy.is_well, "all is well before")
    begin = len(busy.visitors.answers)

    async def all_say_how_old_they_are() -> bool:
        seen = await busy.visitors.look_around()
        return {answer.path for answer in seen if "x-data-as-of" in answer.headers} == FROM_WHMCS

    world().set_faults("whmcs", **OUTAGES[outage])
    try:
        if outage == "takes 800 ms":
            await busy.visitors.look_around()
        else:
            await until(all_say_how_old_they_are, "all lists say how old they are")
        await until(busy.is_ready, "readiness is green all the while")
    finally:
        world().set_faults("whmcs")
    assert {answer.status for answer in busy.visitors.answers[begin:]} == {200}

    async def is_fresh() -> bool:
        return "x-data-as-of" not in (await busy.visitors.ask("/api/invoices")).headers

    await until(is_fresh, "invoices are fresh again")
