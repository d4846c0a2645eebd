"""Readings of a vendor behind a page: nobody waits for longer than their patience, and who gave up is told later."""

import asyncio
from collections.abc import Awaitable, Callable

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.deadline import remaining_seconds


class Readings:
    """Carry readings out that keep what they find themselves, one of a kind at a time over all processes."""

    def __init__(self, settings: Settings, cache: Cache, live: LiveUpdates) -> None:
        self._patience = settings.mirror_patience_seconds
        self._cache = cache
        self._live = live
        self._given_up: set[str] = set()

    async def read_once(self, kind: str, read: Callable[[], Awaitable[None]], *, vendor: str, tell: Change) -> None:
        """Have a customer's data read and wait for it. Raises ExternalUnavailable where it is slow, and what it raises.

        `read` looks first whether another process has just kept them. A slow reading goes on, and open pages are told
        `tell` when it is done.
        """
        name = f"reading:{kind}:{tell.user_id}"

        async def read_and_tell() -> None:
            try:
                await read()
                if name in self._given_up:
                    await self._live.publish(tell)
            finally:
                self._given_up.discard(name)

        try:
            async with asyncio.timeout(remaining_seconds(self._patience)):
                await self._cache.get_or_set(name, read_and_tell, seconds=0)
        except TimeoutError as error:
            self._given_up.add(name)
            raise ExternalUnavailable("slower than our patience", vendor=vendor) from error
