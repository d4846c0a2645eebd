"""How fresh a customer's mirror of WHMCS is, and updating it when it is older than its reader accepts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import select

from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache, count_stale
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.redis.tags import customer_tag
from portal_app.infra.settings import Settings
from portal_app.models.mirror import MirrorState, database_time
from portal_app.services.mirrors.cached_reads import CachedReads, SavedRead

# Reads at once in one process. More would only queue at WHMCS's rate limiter and at PostgreSQL until it is too late
# for them, and hold up everything else.
_AT_ONCE, _BACKGROUND_AT_ONCE = 8, 3
# Reads what WHMCS has of a customer and writes it to the mirror, as of a moment; returns whether anything changed.
Update = Callable[[Customer, datetime], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class MirrorAge:
    """When a mirror was read, whether that is fresh enough, and when we looked, by PostgreSQL's clock."""

    read_at: datetime | None
    is_fresh: bool
    looked_at: datetime
    stale_at: datetime | None = None

    @property
    def as_of(self) -> datetime | None:
        """The age to tell the customer; None for fresh data."""
        return None if self.is_fresh else self.read_at

    def seconds_left(self, most: int) -> int:
        """Return for how many seconds fresh data stay younger than this; 0 for older data."""
        if self.read_at is None or not self.is_fresh:
            return 0
        return max(0, int(most - (self.looked_at - self.read_at).total_seconds()))


class Freshness:
    """Keep one kind of mirror as fresh as its readers need it: one read at a time over all processes."""

    def __init__(
        self, kind: str, update: Update, *, settings: Settings, database: Database, cache: Cache, live: LiveUpdates
    ) -> None:
        self._kind = kind
        self._update = update
        self._database = database
        self._cache = cache
        self._reads = CachedReads(settings, cache, live, at_once=_AT_ONCE, background_at_once=_BACKGROUND_AT_ONCE)

    async def get_fresh(self, customer: Customer, seconds: float) -> MirrorAge:
        """Update the mirror unless it is that fresh, and return when it was read.

        An update that misses the deadline goes on, and open pages are told when it is done. Raises
        ExternalUnavailable where nothing was ever read.
        """
        seen, error = await self._reads.get_saved(self._read_of(customer, seconds))
        if error is not None:
            if seen.read_at is None:
                raise ExternalUnavailable("nothing read yet", vendor="whmcs") from error
            count_stale()
        return seen

    async def first_read(self, customer: Customer, seconds: float) -> None:
        """Read a mirror that was never read, and wait for it until the deadline; open pages are told of a late end."""
        await self._reads.try_update(self._read_of(customer, seconds))

    def refresh(self, customer: Customer, seconds: float) -> None:
        """Update the mirror in the background unless it is that fresh by then; open pages are told afterwards."""
        self._reads.refresh_saved(self._read_of(customer, seconds))

    async def read(self, customer: Customer) -> bool:
        """Update the mirror now; return whether anything changed. Raises as the gateway does."""
        return await self._update(customer, await self.clock())

    async def clock(self) -> datetime:
        """Return PostgreSQL's time: the moment at which the next read begins."""
        async with self._database.unit_of_work() as session:
            return await database_time(session)

    async def mark_stale(self, customer: Customer) -> None:
        """Note that WHMCS has newer data: the next reader updates the mirror, and no cached answer of it is used."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            state = await MirrorState.locked(session, customer.user_id, self._kind)
            state.stale_at = await database_time(session)
        await self._cache.invalidate(customer_tag(customer.user_id))

    async def age(self, customer: Customer, seconds: float = 0) -> MirrorAge:
        """Return when the mirror was last read, and whether that is this many seconds fresh."""
        query = select(MirrorState).where(MirrorState.user_id == customer.user_id, MirrorState.kind == self._kind)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = (await session.exec(query)).first()
            time_now = await database_time(session)
        if row is None:
            return MirrorAge(None, is_fresh=False, looked_at=time_now)
        return MirrorAge(row.read_at, row.is_fresh(seconds, time_now), time_now, row.stale_at)

    async def close(self) -> None:
        """Cancel the reads that are running: no caller is left."""
        await self._reads.close()

    def _read_of(self, customer: Customer, seconds: float) -> SavedRead[MirrorAge]:
        return SavedRead(
            key=f"{self._kind}:{customer.user_id}",
            vendor="whmcs",
            load=lambda: self.age(customer, seconds),
            is_fresh=lambda seen: seen.is_fresh,
            # The read began no earlier than the look at the mirror: an overtaken answer is never written.
            update=lambda seen: self._update(customer, seen.looked_at),
            change=Change(customer.user_id, "billing"),
        )
