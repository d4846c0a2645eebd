"""How young a mirror is, and reading it anew when it is not young enough: without letting anybody wait for long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlmodel import select

from portal_app.domain.errors import ExternalError, ExternalUnavailable
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache, count_stale
from portal_app.infra.redis.live import Change, LiveUpdates, customer_tag
from portal_app.infra.tasks.background import BackgroundTasks
from portal_app.infra.tasks.deadline import remaining_seconds
from portal_app.infra.tasks.shielded import ShieldedTasks
from portal_app.models.mirror import MirrorState, database_time

# Readings at once in one process: those for which nobody waits, and those for which somebody does. More would only
# queue for WHMCS's rate limiter and for PostgreSQL until it is too late for them, and hold up everything else.
_UNWATCHED_AT_ONCE, _AT_ONCE = 3, 8
# Keeps what WHMCS has of a customer, read at a moment; says whether anything changed.
Reading = Callable[[Customer, datetime], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class FreshnessPolicy:
    """How old an answer may be, in seconds, and how long its reader would wait for a younger one, or for a first."""

    age: float
    patience: float
    first_patience: float


@dataclass(frozen=True, slots=True)
class MirrorAge:
    """When a mirror was read, whether that is as young as was wished, and when we looked, by PostgreSQL's clock."""

    read_at: datetime | None
    is_young: bool
    looked_at: datetime
    stale_at: datetime | None = None

    @property
    def as_of(self) -> datetime | None:
        """The age to tell the customer; None for what is young enough."""
        return None if self.is_young else self.read_at

    def seconds_left(self, most: int) -> int:
        """Return for how many seconds what is young stays younger than this; 0 for saved data."""
        if self.read_at is None or not self.is_young:
            return 0
        return max(0, int(most - (self.looked_at - self.read_at).total_seconds()))

    def is_stale_since(self, moment: datetime) -> bool:
        """Say whether we heard after a moment that WHMCS has moved on."""
        return self.stale_at is not None and self.stale_at >= moment


class Freshness:
    """Keep one kind of mirror as young as its readers wish: one reading at a time over all processes."""

    def __init__(self, kind: str, reading: Reading, *, database: Database, cache: Cache, live: LiveUpdates) -> None:
        self._kind = kind
        self._reading = reading
        self._database = database
        self._cache = cache
        self._live = live
        self._readings = ShieldedTasks()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._unwatched = BackgroundTasks(_UNWATCHED_AT_ONCE)

    async def get_fresh(self, customer: Customer, wish: FreshnessPolicy) -> MirrorAge:
        """Read the mirror anew unless it is as young as wished, and return when it was read.

        A reading that takes longer goes on by itself, and open pages are told when it is done. Raises
        ExternalUnavailable where nothing was ever read.
        """
        seen = await self.age(customer, wish.age)
        if seen.is_young:
            return seen
        try:
            await self._wait_for(customer, wish.age, wish.first_patience if seen.read_at is None else wish.patience)
            return await self.age(customer, wish.age)
        except (TimeoutError, ExternalError) as error:
            if seen.read_at is None:
                raise ExternalUnavailable("nothing read yet", vendor="whmcs") from error
            count_stale()
            return seen

    async def first_read(self, customer: Customer, wish: FreshnessPolicy) -> None:
        """Read a mirror that was never read; whoever waits gives up after the wish's first patience.

        The reading then goes on by itself, and open pages are told when it is done.
        """
        with suppress(TimeoutError, ExternalError):
            await self._wait_for(customer, wish.age, wish.first_patience)

    def refresh(self, customer: Customer, age: float) -> None:
        """Have the mirror read anew unless it is that young; nobody waits, and open pages are told when it is done."""
        self._unwatched.start(customer.user_id, partial(self._read_slowly, customer, age, 0))

    async def read(self, customer: Customer) -> bool:
        """Read now; return whether anything changed. Raises as the gateway does."""
        return await self._reading(customer, await self.clock())

    async def clock(self) -> datetime:
        """Return PostgreSQL's time: what is read next began then."""
        async with self._database.unit_of_work() as session:
            return await database_time(session)

    async def mark_stale(self, customer: Customer) -> None:
        """Have the next reader read anew, also what was written from it: WHMCS has moved on."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            state = await MirrorState.locked(session, customer.user_id, self._kind)
            state.stale_at = await database_time(session)
        await self._cache.invalidate(customer_tag(customer.user_id))

    async def age(self, customer: Customer, age: float) -> MirrorAge:
        """Return when the mirror was last read, and whether that is this many seconds young."""
        query = select(MirrorState).where(MirrorState.user_id == customer.user_id, MirrorState.kind == self._kind)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = (await session.exec(query)).first()
            time_now = await database_time(session)
        if row is None:
            return MirrorAge(None, is_young=False, looked_at=time_now)
        return MirrorAge(row.read_at, row.is_younger_than(age, time_now), time_now, row.stale_at)

    async def close(self) -> None:
        """Break off the readings under way: nobody waits for them any more."""
        await asyncio.gather(self._readings.close(), self._unwatched.close())

    async def _wait_for(self, customer: Customer, age: float, patience: float) -> None:
        """Have the mirror read and wait for it. Raises TimeoutError after the patience, and what the reading raises."""

        patience = remaining_seconds(patience)

        async def read() -> None:
            began = time.monotonic()
            async with self._room:
                await self._read_slowly(customer, age, patience - (time.monotonic() - began))

        async with asyncio.timeout(patience):
            await self._readings.run(read())

    async def _read_slowly(self, customer: Customer, age: float, patience: float) -> None:
        began = time.monotonic()

        async def read() -> bool:
            # Whoever held the lease before may have read it meanwhile.
            seen = await self.age(customer, age)
            return not seen.is_young and await self._reading(customer, seen.looked_at)

        is_news = await self._cache.get_or_set(f"reading:{self._kind}:{customer.user_id}", read, seconds=0)
        if is_news or time.monotonic() - began > patience:
            await self._live.publish(Change(customer.user_id, "billing"))
