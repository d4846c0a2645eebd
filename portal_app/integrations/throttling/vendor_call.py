"""A call to a vendor: circuit breaker, rate limiter, time limit, retries of safe calls, and one log line per outage."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import stamina
import structlog

from portal_app.domain.errors import ExternalError, ExternalUnavailable, OutcomeUnknown
from portal_app.infra.metrics import VENDOR_SECONDS, histogram
from portal_app.infra.tasks.current_order import current_order
from portal_app.integrations.throttling.breaker import LONGEST_PAUSE, Breaker, BreakerOpen, Fault
from portal_app.integrations.throttling.limiter import LimiterFull, VendorLimiter
from portal_app.integrations.throttling.local_breaker import BreakerTimes

T = TypeVar("T")
ATTEMPTS = 3
_log = structlog.get_logger(__name__)

_CALLS = histogram(
    "portal_vendor_call_seconds", "Calls to vendors", ["vendor", "operation", "outcome"], buckets=VENDOR_SECONDS
)


class Misconfigured(ExternalUnavailable):
    """The vendor refuses our credentials or our address: an operator must act, repeating does not help."""


class Busy(ExternalUnavailable):
    """The vendor is well and wrote nothing: a record was locked, or a limit of ours is used up. No outage."""


class VendorCall:
    """Makes calls to one vendor. All that name the same vendor share its circuit breaker, over all processes."""

    def __init__(
        self, vendor: str, limiter: VendorLimiter, *, timeout: float, times: BreakerTimes | None = None
    ) -> None:
        self.vendor = vendor
        self.limiter = limiter
        self.timeout = timeout
        self.breaker = Breaker(
            limiter.redis, vendor, limiter.redis_health, fault_of=_fault_of, times=times or BreakerTimes()
        )

    @property
    def longest(self) -> float:
        """The longest that a call may take, in seconds, with its retries and its wait for a slot."""
        return self.limiter.limits.timeout + 2 * self.timeout

    async def state(self) -> dict[str, Any]:
        """Return the state of limiter and breaker for the health page."""
        return {"vendor": self.vendor, "breaker": await self.breaker.state(), **await self.limiter.state()}

    async def run(self, operation: str, call: Callable[[], Awaitable[T]], *, safe: bool) -> T:
        """Make a call; a safe one up to three times.

        `call` raises ExternalUnavailable when the vendor is away, OutcomeUnknown when a write's answer was lost, and
        anything else when it answered. Raises these, and ExternalUnavailable at once while the breaker is open.
        """
        try:
            return await (self._repeated(operation, call) if safe else self._once(operation, call, safe=False))
        except ExternalError as error:
            await self.breaker.record_outage(operation, error)
            raise

    async def _repeated(self, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        repeated = stamina.retry_context(
            on=_pause_before_next, attempts=ATTEMPTS, timeout=None, wait_initial=0.1, wait_max=2.0, wait_jitter=0.2
        )
        try:
            async with asyncio.timeout(self.longest):
                async for attempt in repeated:
                    with attempt:
                        return await self._once(operation, call, safe=True)
        except TimeoutError as error:
            raise ExternalUnavailable(f"{operation}: gave up", vendor=self.vendor) from error
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, operation: str, call: Callable[[], Awaitable[T]], *, safe: bool) -> T:
        began = time.monotonic()
        outcome = "ok"
        try:
            await self.breaker.refuse_if_open()
            async with self.limiter.slot(operation), self.breaker.observe_call(self.timeout):
                return await self._in_time(operation, call, safe=safe)
        except BaseException as error:
            outcome = getattr(error, "code", "error")
            raise
        finally:
            seconds = time.monotonic() - began
            _CALLS.labels(self.vendor, operation, outcome).observe(seconds)
            if current_order():
                # The calls for an order can be followed one by one; of all others the figures tell.
                _log.info(
                    "vendor.called",
                    vendor=self.vendor,
                    operation=operation,
                    outcome=outcome,
                    ms=round(seconds * 1000, 1),
                )

    async def _in_time(self, operation: str, call: Callable[[], Awaitable[T]], *, safe: bool) -> T:
        try:
            async with asyncio.timeout(self.timeout):
                return await call()
        except TimeoutError as error:
            kind = ExternalUnavailable if safe else OutcomeUnknown
            raise kind(f"{operation}: no answer within {self.timeout} s", vendor=self.vendor) from error


def _fault_of(error: BaseException) -> Fault:
    if isinstance(error, Misconfigured):
        return "process"
    is_away = isinstance(error, ExternalUnavailable | OutcomeUnknown)
    return "vendor" if is_away and not isinstance(error, BreakerOpen | LimiterFull | Busy) else "none"


def _pause_before_next(error: Exception) -> bool | float:
    """Return whether stamina retries: with its own pause (True), after these seconds, or not at all (False)."""
    if not isinstance(error, ExternalUnavailable) or isinstance(error, BreakerOpen | LimiterFull | Misconfigured):
        return False
    asked = vars(error).get("retry_after")
    if asked is None:
        return True
    return asked + random.uniform(0, 0.2) if asked <= LONGEST_PAUSE else False  # noqa: S311  spread, not secrecy
