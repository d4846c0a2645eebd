"""Many orders of every kind through four workers, while processes and servers die and vendors are flaky.

Ends when every order is active, refused, or waits for what it should wait for; then everything is counted everywhere.
"""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.soak.counts import count, how_they_stand
from benchmarks.soak.customers import Customer, customers_for
from benchmarks.soak.lives import BAD_DAY, Book, live
from benchmarks.soak.people import People
from benchmarks.soak.report import Report, say
from benchmarks.soak.trouble import Trouble
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal, build
from tests.support.clients.fibre_orders import settle
from tests.support.clients.portal_driver import Buyer, PortalDriver
from tests.support.running.processes import Processes
from tests.support.running.world import world

_SET_UP_AT_ONCE, _SAY_SECONDS = 6, 10.0
_UNSENT = "SELECT count(*) FROM mails WHERE sent_at IS NULL"
_UNHANDLED = "SELECT count(*) FROM inbox WHERE handled_at IS NULL"


@dataclass
class Soak:
    """Everything that takes part."""

    driver: PortalDriver
    worker: Portal
    processes: Processes
    trouble: Trouble
    book: Book = field(default_factory=Book)
    lives: list[asyncio.Task[None]] = field(default_factory=list)
    around: list[asyncio.Task[None]] = field(default_factory=list)


async def soak_orders(*, orders: int, minutes: float, flaky: float, seed: int, rest: float) -> Report:
    """Let so many orders be placed over so many minutes of trouble, let all come to rest within seconds, and count."""
    random.seed(seed)
    customers = customers_for(orders)
    async with _opened(flaky) as soak:
        say(f"orders: {orders} of {len(customers)} customers, {minutes:g} minutes of trouble")
        buyers = await _set_up(soak.driver, len(customers))
        say("the customers are there; four workers and a listener start")
        soak.processes.start_all("listener", *["worker"] * 4, settings=soak.driver.settings)
        people = People(soak.driver, soak.book, {buyer.customer.user_id: buyer for buyer in buyers})
        soak.around = [asyncio.create_task(each) for each in (people.work(), _tell(soak))]
        try:
            _begin_lives(soak, list(zip(customers, buyers, strict=True)), minutes * 60)
            await soak.trouble.make(minutes * 60)
            say("the trouble is over")
            seconds = await _come_to_rest(soak, rest)
        finally:
            for task in soak.around:
                task.cancel()
        return await _report(soak, people, seconds)


@asynccontextmanager
async def _opened(flaky: float) -> AsyncIterator[Soak]:
    settings = _settings()
    web, worker = build(settings, role="web"), build(settings, role="worker")
    driver = PortalDriver(web, worker, world().office, world().postgres.url())
    with tempfile.TemporaryDirectory(prefix="portal-soak-") as home:
        processes = Processes(Path(home))
        try:
            _write_through(world().postgres.url())
            yield Soak(driver, worker, processes, Trouble(driver, processes, settings, flaky=flaky))
        finally:
            processes.kill_all()
            await driver.close()
            await web.close()
            await worker.close()


def _settings() -> Settings:
    """Return settings under which work is looked for often and what is lost settles soon."""
    return world().settings_with(
        portal_poll_seconds=0.1,
        portal_retry_seconds=10.0,
        portal_card_poll_seconds=2.0,
        whmcs_settle_seconds=5.0,
        whmcs_timeout=5.0,
        freebit_poll_seconds=3.0,
        freebit_pending_seconds=4,
        freebit_lock_seconds=4,
        freebit_timeout=5.0,
        cache_profile_seconds=3600,
    )


def _write_through(database: str) -> None:
    """Let a commit be written before it is answered: the tests' server is quicker than that, and would forget it."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER DATABASE portal SET synchronous_commit = on")


async def _set_up(driver: PortalDriver, many: int) -> list[Buyer]:
    room = asyncio.Semaphore(_SET_UP_AT_ONCE)

    async def one() -> Buyer:
        async with room:
            return await settle(driver, await driver.buyer())

    return await asyncio.gather(*(one() for _ in range(many)))


def _begin_lives(soak: Soak, customers: list[tuple[Customer, Buyer]], seconds: float) -> None:
    """Let the customers come one after the other, over two thirds of the time."""

    async def later(customer: Customer, buyer: Buyer, delay: float) -> None:
        await asyncio.sleep(delay)
        await live(soak.driver, soak.book, customer, buyer)

    pause = seconds * 0.7 / len(customers)
    soak.lives = [
        asyncio.create_task(later(customer, buyer, number * pause))
        for number, (customer, buyer) in enumerate(customers)
    ]


async def _come_to_rest(soak: Soak, rest: float) -> float:
    """Wait until every order is where it should be and every mail sent, or time is up; return how long it took."""
    began = time.monotonic()
    while time.monotonic() < began + rest:
        await soak.trouble.replace_the_dead()
        for task in soak.around:
            if task.done():
                # Without the people nothing would ever come to rest.
                task.result()
        if all(life.done() for life in soak.lives) and await _is_at_rest(soak):
            break
        await asyncio.sleep(0.5)
    return time.monotonic() - began


async def _is_at_rest(soak: Soak) -> bool:
    stands = await how_they_stand(soak.driver, soak.book)
    if any(stands.get(case.order_id) != case.wanted.ends for case in soak.book.cases if case.order_id):
        return False
    if any(case.order_id is None for case in soak.book.cases):
        return False
    return not await soak.driver.value(_UNSENT) and not await soak.driver.value(_UNHANDLED)


async def _tell(soak: Soak) -> None:
    """Say now and then how far everything is."""
    while True:
        await asyncio.sleep(_SAY_SECONDS)
        try:
            stands = Counter((await how_they_stand(soak.driver, soak.book)).values())
        except BAD_DAY:
            continue
        killed = sum(number for name, number in soak.trouble.counts.items() if "killed" in name)
        told = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in stands.most_common())
        say(f"{len(soak.book.cases)} ordered: {told}; {killed} killed")


async def _report(soak: Soak, people: People, seconds: float) -> Report:
    report = Report("Orders under trouble")
    for name, number in sorted(soak.trouble.counts.items()):
        report.figure(name, number)
    for code, number in sorted(people.stopped.items()):
        report.figure(f"stopped and corrected: {code}", number)
    report.figure("seconds to come to rest", round(seconds, 1))
    report.count(
        "customers who did all they wanted", sum(_is_well(life) for life in soak.lives), expected=len(soak.lives)
    )
    for life in soak.lives:
        if not _is_well(life):
            report.examples.append(f"a customer: {life.exception() if life.done() else 'still at it'}")
            life.cancel()
    await count(report, soak.driver, soak.worker.database, soak.book)
    return report


def _is_well(life: asyncio.Task[None]) -> bool:
    return life.done() and not life.cancelled() and life.exception() is None
