"""Lanes: how many calls a vendor gets at once and per minute, counted over all of the portal's processes."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import asdict
from typing import Any
from weakref import ref

from limits import parse as parse_rate
from redis.asyncio import Redis

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.metrics import VENDOR_SECONDS, counter, gauge, histogram
from portal_app.integrations.throttling.gates import ENTERED, FULL, LaneCounts, Limits, OwnGate, Priority, SharedGate
from portal_app.integrations.throttling.liveness import Presence
from portal_app.integrations.throttling.redis_health import AWAY, RedisHealth

# customer: somebody waits for a page. background: work a customer began. sync: what the portal does by itself.
lane_priority: ContextVar[Priority] = ContextVar("lane_priority", default="customer")

KEEPER = "lane-keeper"
_WAIT = histogram("portal_lane_wait_seconds", "How long calls waited for their turn", ["lane"], buckets=VENDOR_SECONDS)
_WAITING = gauge("portal_lane_waiting", "Calls waiting for their turn", ["lane"], merge="sum")
_IN_FLIGHT = gauge("portal_lane_in_flight", "Calls under way", ["lane"], merge="sum")
_REJECTED = counter("portal_lane_rejected", "Calls turned away", ["lane", "reason"])


class LaneClosed(ExternalUnavailable):
    """The lane had no room for this call; it was never sent and is not repeated at once."""


class Lane:
    """Let calls to one vendor through: `concurrency` at once, `rate` such as "300/minute", over all processes.

    At most `queue` calls wait that are as urgent as the next one or more, none longer than `timeout` seconds, the more
    urgent first. Every quarter of `lease_seconds` a process says that its calls still run: what one that stands still
    held comes back well before those who wait give up, what a killed one held within two seconds. While Redis is away
    each process keeps the same limits for itself, and looks for Redis again after `without_redis_seconds`; a Redis that
    has forgotten is told what was called.
    """

    without_redis_seconds = 2.0
    lease_seconds = 8.0

    def __init__(
        self,
        redis: Redis,
        name: str,
        *,
        concurrency: int,
        rate: str,
        queue: int,
        timeout: float,
    ) -> None:
        self.name = name
        self.redis = redis
        self.timeout = timeout
        self.reach = RedisHealth(name, pause=self.without_redis_seconds)
        limit = parse_rate(rate)
        self._rate = rate
        self._limits = Limits(
            concurrency, limit.amount, limit.get_expiry() * 1000, queue, int(self.lease_seconds * 1000)
        )
        self._own = OwnGate(self._limits)
        self._shared = SharedGate(redis, name, self._limits, self._own)
        self._keeper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def slot(self, operation: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises LaneClosed when the queue is full or the wait is over."""
        token = self._shared.token()
        if not self._is_kept():
            await self._arrive()
        await self._wait(token, operation)
        if not self._is_kept():
            keeping = _keep(ref(self), self._shared.presence, self.lease_seconds / 4)
            self._keeper = asyncio.create_task(keeping, name=KEEPER)
        _IN_FLIGHT.labels(self.name).inc()
        try:
            yield
        finally:
            _IN_FLIGHT.labels(self.name).dec()
            await asyncio.shield(self._leave(token))

    async def close(self) -> None:
        """Say no more that calls run: there are none."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._shared.presence.leave()

    async def keep(self) -> bool:
        """Say that this process's calls still run; False when Redis need know nothing more of them."""
        if not self._own.calls():
            return False
        if self.reach.is_worth_a_try():
            try:
                await self._shared.keep()
            except AWAY as error:
                self.reach.failed(error)
        return True

    async def state(self) -> dict[str, Any]:
        """Return limits and counts for the health page; of this process alone where `shared` is false."""
        limits = {"concurrency": self._limits.concurrency, "rate": self._rate}
        limits |= {"queue": self._limits.queue, "timeout": self.timeout}
        counts = await self._counts()
        return {"shared": not self.reach.is_away, "limits": limits, **asdict(counts)}

    def _is_kept(self) -> bool:
        return self._keeper is not None and not self._keeper.done()

    async def _arrive(self) -> None:
        """Be seen before the first call: whose subscription is missing is taken for dead."""
        if self.reach.is_worth_a_try():
            try:
                await self._shared.presence.arrive()
            except AWAY as error:
                self.reach.failed(error)

    async def _counts(self) -> LaneCounts:
        if self.reach.is_worth_a_try():
            try:
                counts = await self._shared.counts()
            except AWAY as error:
                self.reach.failed(error)
            else:
                self.reach.answered()
                return counts
        return self._own.counts()

    async def _wait(self, token: str, operation: str) -> None:
        began = time.monotonic()
        _WAITING.labels(self.name).inc()
        reason = ""
        try:
            while True:
                asked = time.monotonic()
                answer = await self._enter(token, asked - began)
                # A process that stood still meanwhile has lost its slot: it asks again.
                if answer == ENTERED and time.monotonic() - asked < self.lease_seconds:
                    return
                pause = _pause(answer, time.monotonic() - began, self.timeout)
                if answer == FULL or time.monotonic() + pause > began + self.timeout:
                    reason = "full" if answer == FULL else "late"
                    raise self._closed(reason, operation)
                await asyncio.sleep(pause)
        except BaseException:
            await asyncio.shield(self._leave(token, late=reason == "late"))
            raise
        finally:
            _WAITING.labels(self.name).dec()
            _WAIT.labels(self.name).observe(time.monotonic() - began)

    async def _enter(self, token: str, waited: float) -> int:
        priority = lane_priority.get()
        if self.reach.is_worth_a_try():
            try:
                answer = await self._shared.enter(token, priority, waited)
            except AWAY as error:
                self.reach.failed(error)
            else:
                # A ticket drawn while Redis was away would hold others back for ever.
                self._own.leave(token)
                self.reach.answered()
                if answer == ENTERED:
                    self._own.note(token)
                return answer
        answer = self._own.enter(token, priority)
        if answer == ENTERED:
            self._shared.fall_behind()
        return answer

    async def _leave(self, token: str, *, late: bool = False) -> None:
        self._own.leave(token)
        if self.reach.is_worth_a_try():
            try:
                await self._shared.leave(token, late=late)
                return
            except AWAY as error:
                self.reach.failed(error)
        self._shared.fall_behind()

    def _closed(self, reason: str, operation: str) -> LaneClosed:
        _REJECTED.labels(self.name, reason).inc()
        return LaneClosed(f"lane {self.name} {reason}: {operation}", vendor=self.name)


def _pause(hint: int, waited: float, patience: float) -> float:
    """Return the seconds until the next try. The longer a call has waited, the sooner it is at the door."""
    spread = random.uniform(0.5, 1.0)  # noqa: S311  spread, not secrecy
    if hint <= 0:
        return max(0.01, min(0.1, waited / 4)) * spread
    return min(hint / 1000, 1.0) + max(0.01, 0.1 * (1 - waited / patience)) * spread


async def _keep(kept: "ref[Lane]", presence: Presence, pause: float) -> None:
    """Keep a lane's slots while it has calls of the last period; without a reference, so that it ends with the lane."""
    is_needed, is_over = True, True
    try:
        while is_needed:
            await presence.stay(pause)
            lane = kept()
            is_needed = lane is not None and await lane.keep()
            is_over = lane is None
            del lane
    except asyncio.CancelledError:
        is_over = True
        raise
    finally:
        # A lane that only rests finds its subscription where it was, without a moment in which it has none.
        if is_over:
            await presence.leave()
