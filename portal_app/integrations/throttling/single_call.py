"""A call that stands alone: one try, and neither breaker nor rate limiter, so that a check changes neither."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis

from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.vendor_call import VendorCall

T = TypeVar("T")


class SingleCall(VendorCall):
    """Makes each call once, within its time limit."""

    def __init__(self, vendor: str, redis: Redis, *, timeout: float) -> None:
        limits = CallLimits(concurrency=1, rate="1/second", queue=0, timeout=timeout)
        super().__init__(vendor, VendorLimiter(redis, f"{vendor}-checks", limits), timeout=timeout)

    async def run(self, operation: str, call: Callable[[], Awaitable[T]], *, safe: bool) -> T:
        """Make a call once. Raises what `call` raises, and ExternalUnavailable or OutcomeUnknown when it is late."""
        return await self._in_time(operation, call, safe=safe)
