"""Reads of vendors for pages: within the request's deadline, one over all processes, reported to open pages."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Generic, TypeVar

import structlog
from pydantic import TypeAdapter

from portal_app.domain.errors import ExternalError, PortalError
from portal_app.infra.redis.cache import Cache, CachedBytes, Entry
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.background import BackgroundTasks
from portal_app.infra.tasks.deadline import late, remaining_seconds
from portal_app.infra.tasks.shielded import ShieldedTasks

Value = TypeVar("Value")
Saved = TypeVar("Saved")
_log = structlog.get_logger(__name__)
# A page that is open for longer without a request belongs to a session that has ended.
_SHOWN_SECONDS = 24 * 3600
# What a page shows whose read missed the deadline: any answer is news to it.
_NOTHING = object()


def fingerprint(value: object) -> str:
    """Return a short text that is equal for equal JSON values: for answers too long, or too private, to store twice."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CachedRead(Generic[Value]):
    """A vendor's answer that is kept in the cache: its key, its type, how it is read and for how long it is kept.

    `seconds` None keeps it until one of its tags is invalidated. `remember` returns what to store of the last answer
    for a day, so that a later one can be compared with it. `change` is what open pages hear of a background read.
    """

    key: str
    vendor: str
    type: TypeAdapter[Value]
    read: Callable[[], Awaitable[Value]]
    seconds: int | None
    tags: tuple[str, ...] = ()
    remember: Callable[[Any], object] | None = None
    change: Change | None = None

    @property
    def entry(self) -> Entry:
        """The cache entry of the answer."""
        return Entry(self.key, self.tags)


@dataclass(frozen=True, slots=True)
class SavedRead(Generic[Saved]):
    """A vendor's data that are saved in a table: how they are loaded, when they are fresh, how they are updated.

    `update` reads the vendor, writes the table and returns whether that was news. Open pages hear `change` of news,
    and of the end of a read that a caller stopped waiting for; the latter not where `is_late_told` is False.
    """

    key: str
    vendor: str
    load: Callable[[], Awaitable[Saved]]
    is_fresh: Callable[[Saved], bool]
    update: Callable[[Saved], Awaitable[bool]]
    change: Change
    is_late_told: bool = True


class CachedReads:
    """Carry out reads. A read that misses the deadline goes on; its caller gets ExternalUnavailable.

    `at_once` limits the reads that callers wait for, `background_at_once` the others.
    """

    def __init__(
        self,
        settings: Settings,
        cache: Cache,
        live: LiveUpdates,
        *,
        at_once: int | None = None,
        background_at_once: int = 2,
    ) -> None:
        self._seconds = settings.mirror_patience_seconds
        self._cache = cache
        self._live = live
        self._limit: AbstractAsyncContextManager[object] = asyncio.Semaphore(at_once) if at_once else nullcontext()
        self._tasks = ShieldedTasks()
        self._background = BackgroundTasks(background_at_once)
        # The keys of reads that a caller has stopped waiting for.
        self._late: set[str] = set()

    async def get(self, what: CachedRead[Value]) -> Value:
        """Return the cached answer, or read it. Raises ExternalUnavailable after the deadline, and as the vendor."""
        return what.type.validate_json(await self.get_bytes(what))

    async def get_bytes(self, what: CachedRead[Any]) -> bytes:
        """Return the answer as the JSON that is in the cache. Raises as `get`.

        Open pages are told of an answer that misses the deadline.
        """
        # The computation is shielded: it goes on, and the next caller finds its answer in the cache.
        try:
            async with asyncio.timeout(remaining_seconds(self._seconds)):
                return await self._cache.get_or_set_bytes(what.entry, partial(self._read, what))
        except TimeoutError as error:
            self.refresh(what, shown=_NOTHING)
            raise late(what.vendor) from error

    async def peek(self, what: CachedRead[Value]) -> Value | None:
        """Return the cached answer, or None; reads nothing."""
        found = await self._cache.peek_bytes(what.entry)
        return None if found is None else what.type.validate_json(found)

    async def last_answer(self, what: CachedRead[Any]) -> Any:
        """Return what was remembered of the last answer, None after a day or where nothing was."""
        return await self._cache.peek(_shown_key(what))

    async def has_changed(self, what: CachedRead[Any]) -> bool:
        """Invalidate the answer; read it and return whether it differs from the last one that was shown.

        An answer that was not shown for a day is not read. Raises as the vendor.
        """
        await self._cache.invalidate(*what.tags)
        shown = await self.last_answer(what)
        if shown is None or what.remember is None:
            return False
        return bool(shown != what.remember(json.loads((await self._read(what)).text)))

    def refresh(self, what: CachedRead[Any], *, shown: object) -> None:
        """Read the answer in the background; open pages are told when it differs from what they show."""
        self._background.start(what.key, partial(self._refresh, what, shown))

    async def get_saved(self, what: SavedRead[Saved]) -> tuple[Saved, ExternalError | None]:
        """Return fresh saved data; where the vendor cannot be read, the older ones with the reason."""
        saved = await what.load()
        if what.is_fresh(saved):
            return saved, None
        try:
            await self._wait_for_update(what)
        except ExternalError as error:
            return saved, error
        return await what.load(), None

    async def try_update(self, what: SavedRead[Any]) -> None:
        """Update saved data that are not fresh, and wait for it until the deadline at most."""
        with suppress(ExternalError):
            await self._wait_for_update(what)

    def refresh_saved(self, what: SavedRead[Any]) -> None:
        """Update saved data in the background unless they are fresh by then; open pages are told when it is done."""
        self._background.start(what.key, partial(self._refresh_saved, what))

    async def close(self) -> None:
        """Cancel the reads that are running."""
        await asyncio.gather(self._tasks.close(), self._background.close())

    async def _read(self, what: CachedRead[Any]) -> CachedBytes:
        found = await what.read()
        if what.remember is not None:
            shown = what.remember(what.type.dump_python(found, mode="json"))
            await self._cache.put(_shown_key(what), shown, seconds=_SHOWN_SECONDS)
        return CachedBytes(what.type.dump_json(found), what.seconds)

    async def _refresh(self, what: CachedRead[Any], shown: object) -> None:
        try:
            found = await self._cache.get_or_set_bytes(what.entry, partial(self._read, what))
        except PortalError as error:
            _log.debug("reads.not_refreshed", read=what.key.partition(":")[0], error=error.code)
            return
        is_news = what.type.validate_json(found) != shown
        # Where it could not be cached, the refreshed page would only begin the next read.
        if what.change and is_news and await self._cache.peek_bytes(what.entry) == found:
            await self._live.publish(what.change)

    async def _wait_for_update(self, what: SavedRead[Any]) -> None:
        async def update() -> None:
            async with self._limit:
                await self._update(what)

        try:
            async with asyncio.timeout(remaining_seconds(self._seconds)):
                await self._tasks.run(update)
        except TimeoutError as error:
            self._late.add(what.key)
            raise late(what.vendor) from error

    async def _refresh_saved(self, what: SavedRead[Any]) -> None:
        # Open pages show the older data.
        self._late.add(what.key)
        await self._update(what)

    async def _update(self, what: SavedRead[Any]) -> None:
        is_news = False

        async def update() -> CachedBytes:
            nonlocal is_news
            # Another process may have updated them while this one waited for its turn.
            saved = await what.load()
            if not what.is_fresh(saved):
                is_news = await what.update(saved)
            return CachedBytes(b"", 0)

        try:
            await self._cache.get_or_set_bytes(Entry(f"reading:{what.key}"), update)
            is_late_told = what.is_late_told and what.key in self._late
            if is_news or is_late_told:
                await self._live.publish(what.change)
        finally:
            self._late.discard(what.key)


def _shown_key(what: CachedRead[Any]) -> str:
    return f"shown:{what.key}"
