"""How others tell a process that died from one that stands still: Redis drops its subscription at once, or keeps it."""

import asyncio
import time
from contextlib import suppress

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from portal_app.integrations.throttling.redis_health import AWAY

_AGAIN_SECONDS = 0.2
_CONFIRMED_SECONDS = 1.0


class Presence:
    """A subscription to a channel of one's own, on which nothing is ever said.

    `arrive` before the first call, `stay` while there are calls: never both at once.
    """

    def __init__(self, redis: Redis, channel: str) -> None:
        self._redis = redis
        self._channel = channel
        self._subscription: PubSub | None = None
        self._arriving: asyncio.Task[None] | None = None

    async def arrive(self) -> None:
        """Be there before going on. Raises what Redis being away raises, after a second try."""
        if self._arriving is None or self._arriving.done():
            self._arriving = asyncio.create_task(self._arrive())
        await asyncio.shield(self._arriving)

    async def stay(self, seconds: float) -> None:
        """Be there for so long, anew where the connection is lost; Redis being away is no error."""
        end = time.monotonic() + seconds
        if self._arriving is not None:
            await asyncio.wait([self._arriving])
        while (left := end - time.monotonic()) > 0:
            try:
                await self._listen(left)
            except AWAY:
                await self.leave()
                await asyncio.sleep(min(left, _AGAIN_SECONDS))

    async def leave(self) -> None:
        """Give the connection back."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with suppress(*AWAY):
                await subscription.aclose()  # type: ignore[no-untyped-call]

    async def _arrive(self) -> None:
        try:
            await self._listen(0)
        except AWAY:
            # It may have been lost while nobody listened.
            await self.leave()
            await self._listen(0)

    async def _listen(self, seconds: float) -> None:
        """Listen for so long; the first time until Redis has confirmed the subscription."""
        if self._subscription is None:
            self._subscription = self._redis.pubsub()
            await self._subscription.subscribe(self._channel)
            await self._subscription.get_message(timeout=_CONFIRMED_SECONDS)
        await self._subscription.get_message(timeout=seconds)
