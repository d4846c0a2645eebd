"""The rate limiter of a vendor: concurrency, rate and queue, over all processes of the portal."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.metrics import VENDOR_SECONDS, counter, gauge, histogram
from portal_app.infra.tasks.current_customer import current_customer
from portal_app.integrations.throttling.call_limits import Answer, CallLimits, CallRequest, Priority
from portal_app.integrations.throttling.local_gate import LocalGate
from portal_app.integrations.throttling.redis_gate import RedisGate
from portal_app.integrations.throttling.redis_health import RedisHealth

# customer: a page waits for it. background: work that a customer started. sync: work that the portal started.
call_priority: ContextVar[Priority] = ContextVar("call_priority", default="customer")

_WAIT = histogram("portal_lane_wait_seconds", "How long calls waited for a slot", ["lane"], buckets=VENDOR_SECONDS)
_WAITING = gauge("portal_lane_waiting", "Calls that wait for a slot", ["lane"], merge="sum")
_IN_FLIGHT = gauge("portal_lane_in_flight", "Running calls", ["lane"], merge="sum")
_REJECTED = counter("portal_lane_rejected", "Refused calls", ["lane", "reason"])


class LimiterFull(ExternalUnavailable):
    """The vendor's limiter had no slot for this call: it was not sent, and is not repeated at once."""


class VendorLimiter:
    """Admits the calls to one vendor within its limits, the more urgent first.

    A slot is a lease of `lease_seconds`, renewed while its call runs: the slots of a killed process are free when their
    leases end. While Redis is unavailable each process admits its local share, and asks Redis again after
    `redis_pause_seconds`.
    """

    redis_pause_seconds = 2.0
    lease_seconds = 3.0

    def __init__(self, redis: Redis, name: str, limits: CallLimits) -> None:
        self.name = name
        self.redis = redis
        self.limits = limits
        self.redis_health = RedisHealth(name, pause=self.redis_pause_seconds)
        self._local = LocalGate(limits.for_local())
        self._shared = RedisGate(redis, name, limits, lease=self.lease_seconds)
        self._renewal: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def slot(self, operation: str) -> AsyncIterator[None]:
        """Wait for a slot and hold it. Raises LimiterFull when the queue is full or the wait is too long."""
        call = CallRequest(uuid4().hex, call_priority.get(), current_customer())
        await self._wait(call, operation)
        _IN_FLIGHT.labels(self.name).inc()
        try:
            yield
        finally:
            _IN_FLIGHT.labels(self.name).dec()
            await asyncio.shield(self._release(call))

    async def close(self) -> None:
        """Stop the renewal of leases: no call runs any more."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    async def state(self) -> dict[str, Any]:
        """Return limits and counts for the health page; of this process alone where `shared` is false."""
        own = self.limits
        limits = {"concurrency": own.concurrency, "rate": own.rate, "queue": own.queue, "timeout": own.timeout}
        counts = await self.redis_health.ask(self._shared.counts) or self._local.counts()
        return {"shared": not self.redis_health.is_away, "limits": limits, **asdict(counts)}

    async def _wait(self, call: CallRequest, operation: str) -> None:
        began = time.monotonic()
        attempt: asyncio.Task[Answer] | None = None
        reason = ""
        _WAITING.labels(self.name).inc()
        try:
            while True:
                waited = time.monotonic() - began
                attempt = asyncio.create_task(self._acquire(call, waited))
                answer = await asyncio.shield(attempt)
                if answer.verdict == "admitted":
                    self._start_renewal()
                    return
                pause = _pause(answer.wait, waited, self.limits.timeout)
                if answer.verdict == "full" or time.monotonic() + pause > began + self.limits.timeout:
                    reason = "full" if answer.verdict == "full" else "late"
                    raise self._refusal("share" if answer.is_over_share else reason, operation)
                await asyncio.sleep(pause)
        except BaseException:
            await asyncio.shield(self._give_up(call, attempt, late=reason == "late"))
            raise
        finally:
            _WAITING.labels(self.name).dec()
            _WAIT.labels(self.name).observe(time.monotonic() - began)

    async def _acquire(self, call: CallRequest, waited: float) -> Answer:
        answer = await self.redis_health.ask(lambda: self._shared.acquire(call, waited))
        if answer is None:
            return self._local.acquire(call)
        # Its place in the local queue, taken while Redis was away, would hold others back.
        self._local.release(call.token)
        if answer.verdict == "admitted":
            self._local.admit(call)
        return answer

    async def _give_up(self, call: CallRequest, attempt: "asyncio.Task[Answer] | None", *, late: bool) -> None:
        if attempt is not None:
            # Redis could process the release before an attempt that is still on its way.
            await asyncio.wait([attempt])
        await self._release(call, late=late)

    async def _release(self, call: CallRequest, *, late: bool = False) -> None:
        self._local.release(call.token)
        # While Redis is away, the lease and the tickets expire.
        await self.redis_health.ask(lambda: self._shared.release(call, late=late))

    def _start_renewal(self) -> None:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew_leases())

    async def _renew_leases(self) -> None:
        """Renew the leases of this process three times in their length, until no call runs."""
        while True:
            await asyncio.sleep(self.lease_seconds / 3)
            if not self._local.running:
                return
            await self.redis_health.ask(lambda: self._shared.renew(self._local.running))

    def _refusal(self, reason: str, operation: str) -> LimiterFull:
        _REJECTED.labels(self.name, reason).inc()
        return LimiterFull(f"limiter {self.name} {reason}: {operation}", vendor=self.name)


def _pause(wait: int, waited: float, longest: float) -> float:
    """Return the seconds until the next attempt. The longer a call has waited, the more often it asks."""
    spread = random.uniform(0.5, 1.0)  # noqa: S311  spread, not secrecy
    if wait <= 0:
        return max(0.01, min(0.1, waited / 4)) * spread
    return min(wait / 1000, 1.0) + max(0.01, 0.1 * (1 - waited / longest)) * spread
