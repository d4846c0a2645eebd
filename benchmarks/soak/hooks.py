"""A whole day of hooks, compressed: shuffled, doubled, lost, while readers read and the billing system has bad moments.

Nothing shown may be older than promised or behind a hook that was applied, and after the reconcile the mirrors are
what WHMCS is.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.soak.day import WholeDay
from benchmarks.soak.ledger import AT_ONCE_SECONDS
from benchmarks.soak.readers import Readers, promises_of
from benchmarks.soak.report import Report, say
from portal_app.domain.errors import ExternalError
from portal_app.domain.inbound_event import InboundEvent
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.client import connect
from portal_app.infra.security.encrypted_column import use_key_ring
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.local.servers.postgres import EmbeddedPostgres
from portal_app.local.servers.valkey import EmbeddedValkey
from portal_app.models.user import IdMapping
from portal_app.services.inbound.whmcs_hooks import EARLY, HOOKS
from tests.support.values.users import new_user
from tests.support.vendors.billing_services import BillingServices, untruths
from tests.support.vendors.late_bills import Hook

HOUR_SECONDS, HOOKS_AN_HOUR = 10.0, 250
LOST, DOUBLED, LATEST_SECONDS = 0.1, 0.15, 5.0
# How many of the billing system's answers come late, and how late.
_LATE, LATE_SECONDS = 0.2, 1.0
# How long the billing system answers nobody or refuses everybody in its bad moments, at most.
SLOWEST_SECONDS = 2.0
_APPLIED_AT_ONCE, _READERS = 16, 6
_MOST_LETTERS, _PAUSES = 300, 0.3
_NUMBERS = count(70_000)
_PROMISES = {
    "older": "shown older than promised",
    "dishonest": "saved data older than said",
    "behind": "shown behind an applied hook",
    "unanswered": "mirrors that did not answer",
    "sums": "lists whose sums do not add up",
}


@dataclass
class Day:
    """Everything that takes part in the day."""

    bills: WholeDay
    customers: list[Customer]
    webs: list[BillingServices]
    workers: list[BillingServices]
    keeper: BillingServices
    settings: Settings
    readers: Readers
    counts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_APPLIED_AT_ONCE))
    post: set[asyncio.Task[None]] = field(default_factory=set)


async def soak_hooks(*, hours: float, customers: int, seed: int) -> Report:
    """Live through so many hours and return what was seen."""
    chance = random.Random(seed)
    async with _opened(chance, customers) as day:
        say(f"hooks: {customers} customers, {hours:g} hours of {HOUR_SECONDS:g} s")
        weather, *around = [asyncio.create_task(each) for each in (_weather(day), _answers(day), _schedule(day))]
        around += [asyncio.create_task(_read_on(day, number)) for number in range(_READERS)]
        try:
            await _live(day, hours, [weather, *around])
            while day.post:
                await asyncio.gather(*day.post)
            await _end([weather])
            left = len(await untruths(day.webs[0], day.bills, day.customers))
            say(f"the day is over: {left} things differ, before the reconcile")
            await _reconcile(day)
            await _look_at_all(day)
        finally:
            await _end(around)
        return await _judged(day, left)


async def _live(day: Day, hours: float, around: list[asyncio.Task[Any]]) -> None:
    kinds: list[str] = []
    began, hour = time.monotonic(), 0
    for number in range(int(hours * HOOKS_AN_HOUR)):
        if not kinds:
            kinds = list(HOOKS)
            day.bills.chance.shuffle(kinds)
        _send(day, day.bills.happen(kinds.pop()))
        if number >= (hour + 1) * HOOKS_AN_HOUR - 1:
            hour += 1
            told = ", ".join(f"{name} {day.counts[name]}" for name in ("sent", "lost", "applied"))
            say(f"hour {hour:2}  {told}, looks {sum(seen.looks for seen in day.readers.seen.values())}")
        broken = next((task for task in around if task.done()), None)
        if broken is not None:
            broken.result()
        # A machine that cannot keep up has a longer day, not a fuller letter box.
        while len(day.post) > _MOST_LETTERS:
            await asyncio.sleep(0.1)
        # Several at once, as a payment sets off, then a pause.
        if day.bills.chance.random() < _PAUSES:
            await asyncio.sleep(max(0.0, began + (number + 1) * HOUR_SECONDS / HOOKS_AN_HOUR - time.monotonic()))


def _send(day: Day, hook: Hook) -> None:
    """Give a hook to the post, which loses some, brings some twice, and none in their order."""
    chance = day.bills.chance
    day.counts["sent"] += 1
    day.kinds[hook[0]] += 1
    copies = 0 if chance.random() < LOST else 1 + (chance.random() < DOUBLED)
    day.counts["lost"] += not copies
    day.counts["doubled"] += copies > 1
    for _ in range(copies):
        _begin(day, _deliver(day, hook, chance.random() ** 4 * LATEST_SECONDS))


def _begin(day: Day, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    day.post.add(task)
    task.add_done_callback(day.post.discard)


async def _deliver(day: Day, hook: Hook, delay: float) -> None:
    await asyncio.sleep(delay)
    event = InboundEvent("whmcs", str(uuid4()), hook[0], dict(hook[1]))
    await _apply(day, event)
    if hook[0] in EARLY:
        await asyncio.sleep(day.settings.whmcs_early_hook_seconds)
        await _apply(day, event)
    day.counts["applied"] += 1


async def _apply(day: Day, event: InboundEvent) -> None:
    """Apply a hook as the workflow's step does, again while WHMCS is away; note what has to be seen from now on."""
    while True:
        async with day.room:
            began, owner = time.time(), day.bills.owner_of(event.data)
            try:
                await day.bills.chance.choice(day.workers).changes.apply(event)
            except ExternalError:
                day.counts["tried again"] += 1
            else:
                if owner is not None and owner == day.bills.owner_of(event.data):
                    _hear(day, event, owner, began)
                    _begin(day, _look_after(day, owner))
                return
        await asyncio.sleep(0.2)


async def _look_after(day: Day, owner: int) -> None:
    """Look at the pages of a busy client when a hook was applied, and once more when late answers have come."""
    customer = next((one for one in _watched(day) if one.whmcs_client_id == owner), None)
    if customer is None or owner not in day.bills.busy:
        return
    for delay in (AT_ONCE_SECONDS + 0.1, LATE_SECONDS / 2):
        await asyncio.sleep(delay)
        await day.readers.look(day.webs[0], customer, day.bills.chance.choice(["list", "text", "services"]))


def _watched(day: Day) -> list[Customer]:
    """Return those whose pages are looked at: what hooks leave wrong with the others only the reconcile finds."""
    return day.customers[: -(-len(day.customers) * 2 // 3)]


def _hear(day: Day, event: InboundEvent, owner: int, began: float) -> None:
    touched, ledger = HOOKS[event.kind], day.bills.ledger
    if "invoices" in touched:
        ledger.hear("bill", owner, None, since=began)
    elif "invoice" in touched:
        for name in ("invoice_id", "new_invoice_id"):
            if name in event.data:
                ledger.hear("bill", owner, event.data[name], since=began)
    for name, kind in (("services", "service"), ("methods", "cards"), ("money", "money")):
        if name in touched:
            ledger.hear(kind, owner, None, since=began)  # type: ignore[arg-type]


async def _answers(day: Day) -> None:
    """Let the billing system's answers go: most of them soon, some so late that others overtake them."""
    bills, due = day.bills, dict[asyncio.Future[None], float]()
    bills.is_late = True
    while True:
        bills.has_held.clear()
        if not bills.held:
            await bills.has_held.wait()
        await asyncio.sleep(0.005)
        for answer in bills.held:
            is_late = bills.chance.random() < _LATE
            due.setdefault(answer, time.monotonic() + bills.chance.uniform(0, LATE_SECONDS if is_late else 0.03))
        for answer in [] if "slow" in day.counts else list(bills.held):
            if due[answer] <= time.monotonic():
                del due[answer]
                bills.let_go(bills.held.index(answer))


async def _weather(day: Day) -> None:
    """Let the billing system be slow or away for a moment, now and then."""
    chance = day.bills.chance
    while True:
        await asyncio.sleep(chance.uniform(2, 6))
        bad, seconds = chance.choice(["slow", "away"]), chance.uniform(0.3, SLOWEST_SECONDS)
        day.counts[f"moments {bad}"] += 1
        if bad == "slow":
            day.counts["slow"] = 1
        else:
            day.bills.is_away = True
        try:
            await asyncio.sleep(seconds)
        finally:
            day.bills.is_away = False
            day.counts.pop("slow", None)


async def _schedule(day: Day) -> None:
    """Read the oldest mirrors again every five minutes of the day."""
    while True:
        await asyncio.sleep(HOUR_SECONDS / 12)
        await day.bills.chance.choice(day.workers).mirror_refresh.run()
        day.counts["ticks"] += 1


async def _read_on(day: Day, number: int) -> None:
    chance, billing_services = random.Random(number), day.webs[number % len(day.webs)]
    while True:
        watched = _watched(day)
        busy = [one for one in watched if one.whmcs_client_id in day.bills.busy]
        await day.readers.look(billing_services, chance.choice(busy if busy and chance.random() < 0.5 else watched))
        await asyncio.sleep(chance.uniform(0.1, 0.5))


async def _reconcile(day: Day) -> None:
    """Read every mirror again, as the schedule does where they are old; from now on all of that has to be seen."""
    began = time.time()
    await day.keeper.mirror_refresh.run()
    for customer in day.customers:
        day.bills.ledger.hear("bill", customer.whmcs_client_id, None, since=began)
        day.bills.ledger.hear("service", customer.whmcs_client_id, None, since=began)


async def _look_at_all(day: Day) -> None:
    await asyncio.sleep(AT_ONCE_SECONDS * 2)
    for customer in day.customers:
        for billing_services in day.webs:
            await asyncio.gather(*(day.readers.look(billing_services, customer) for _ in range(3)))


async def _judged(day: Day, left: int) -> Report:
    report = Report("A day of hooks")
    for name, figure in (("hook points", len(day.kinds)), ("hooks", day.counts["sent"])):
        report.figure(name, figure)
    for name in ("lost", "doubled", "applied", "tried again", "moments slow", "moments away", "ticks"):
        report.figure(f"  {name}", day.counts[name])
    report.figure("untrue before the reconcile", left)
    for page, seen in day.readers.seen.items():
        report.figure(f"looks at {page}", seen.looks)
        report.figure(f"  {page}: things of saved data, looks unknown: {seen.unknown}", seen.saved)
        report.figure(f"  {page}: oldest shown as fresh, of {day.readers.promises[page]:g} s", f"{seen.oldest:.2f} s")
    report.count("hook points fired", len(day.kinds), expected=len(HOOKS))
    letters = day.counts["sent"] - day.counts["lost"] + day.counts["doubled"]
    report.count("hooks applied", day.counts["applied"], expected=letters)
    for name, what in _PROMISES.items():
        report.count(what, sum(getattr(seen, name) for seen in day.readers.seen.values()), expected=0)
    wrong = await untruths(day.webs[0], day.bills, day.customers)
    report.count("untrue after the reconcile", len(wrong), expected=0)
    report.examples += day.readers.examples[:10] + [f"kept {kept}, true {true}" for kept, true in wrong[:3]]
    return report


@asynccontextmanager
async def _opened(chance: random.Random, many: int) -> AsyncIterator[Day]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-soak-")))
        settings = _settings(stack, home)
        use_key_ring(key_ring_of(settings))
        web, worker = Database(settings, "web"), Database(settings, "worker")
        redis = connect(settings.redis_url, seconds=settings.redis_timeout)
        try:
            customers = [await _customer(web, worker, settings) for _ in range(many)]
            bills = WholeDay(chance, [customer.whmcs_client_id for customer in customers])
            bills.begin(bills=15, services=4)
            yield Day(
                bills=bills,
                customers=customers,
                webs=[BillingServices.over(bills, web, redis, settings) for _ in range(2)],
                workers=[BillingServices.over(bills, worker, redis, settings) for _ in range(4)],
                keeper=BillingServices.over(bills, worker, redis, _at_once(settings)),
                settings=settings,
                readers=Readers(bills, chance, promises_of(settings, slowest=SLOWEST_SECONDS + 2 * LATE_SECONDS)),
            )
        finally:
            await web.close()
            await worker.close()
            await redis.aclose()


def _settings(stack: ExitStack, home: Path) -> Settings:
    """Start the servers and return settings whose times are as short as the day is."""
    postgres = stack.enter_context(EmbeddedPostgres(home / "postgres", fast=True))
    valkey = stack.enter_context(EmbeddedValkey(home / "valkey"))
    settings = Settings(
        portal_env="development",
        database_url=postgres.url(),
        redis_url=valkey.url(),
        redis_timeout=5.0,
        cache_invoices_seconds=2,
        cache_invoice_seconds=4,
        cache_subscriptions_seconds=4,
        cache_payment_methods_seconds=6,
        mirror_patience_seconds=0.5,
        whmcs_early_hook_seconds=0.5,
        mirror_reconcile_seconds=60,
        mirror_reconcile_batch=3,
    )
    environment = {**os.environ, "PORTAL_ENV": settings.portal_env, "DATABASE_URL": settings.database_url}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "portal_app.infra.database.migrate"], env=environment, check=True
    )
    return settings


def _at_once(settings: Settings) -> Settings:
    return settings.model_copy(update={"mirror_reconcile_seconds": 0, "mirror_reconcile_batch": 10_000})


async def _customer(web: Database, worker: Database, settings: Settings) -> Customer:
    number = next(_NUMBERS)
    ids = {"whmcs_client_id": number, "sf_account_id": f"001{number}", "sf_contact_id": f"003{number}"}
    user_id = await new_user(web, key_ring_of(settings))
    mapping = IdMapping(user_id=user_id, customer_number=f"C{number:08d}", **ids)
    async with worker.unit_of_work() as session:
        session.add(mapping)
    return mapping.to_domain()


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
