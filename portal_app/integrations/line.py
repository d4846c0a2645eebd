"""The line to a vendor: breaker, lane, time limit, repetition of safe calls, and one log line per outage."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina
import structlog
from prometheus_client import Histogram
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from portal_app.domain.errors import ExternalError, ExternalUnavailable, OutcomeUnknown
from portal_app.integrations.lanes import Lane, LaneClosed

T = TypeVar("T")
FAILURES_BEFORE_OPEN = 5
OPEN_SECONDS = 10.0
ATTEMPTS = 3
LONGEST_PAUSE = 5.0

_log = structlog.get_logger(__name__)
_CALLS = Histogram("portal_vendor_call_seconds", "Calls to vendors", ["vendor", "operation", "outcome"])


class BreakerOpen(ExternalUnavailable):
    """The vendor failed too often a moment ago; this call was not sent."""


class Misconfigured(ExternalUnavailable):
    """The vendor refuses our credentials or our address: an operator must act, repeating does not help."""


class Busy(ExternalUnavailable):
    """The vendor is well and wrote nothing: a record was locked, or a limit of ours is used up. No outage."""


class VendorLine:
    """Run calls to one vendor. The breaker is each process's own, so it needs nothing that may be away itself."""

    def __init__(self, vendor: str, lane: Lane, *, timeout: float, open_seconds: float = OPEN_SECONDS) -> None:
        self.vendor = vendor
        self._lane = lane
        self._timeout = timeout
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=FAILURES_BEFORE_OPEN,
            default_ttl=open_seconds,
            exclude=[(BaseException, lambda error: not _is_vendors_fault(error))],
        )
        self._is_down = False

    async def run(self, operation: str, call: Callable[[], Awaitable[T]], *, safe: bool) -> T:
        """Make a call; a safe one up to three times.

        `call` raises ExternalUnavailable when the vendor is away, OutcomeUnknown when a write's answer was lost, and
        anything else when it answered. Raises these, and ExternalUnavailable at once while the breaker is open.
        """
        try:
            async for attempt in stamina.retry_context(
                on=_pause_before_next,
                attempts=ATTEMPTS if safe else 1,
                timeout=self._timeout * 2,
                wait_initial=0.1,
                wait_max=2.0,
                wait_jitter=0.2,
            ):
                with attempt:
                    result = await self._once(operation, call, safe=safe)
        except ExternalError as error:
            self._note_outage(operation, error)
            raise
        self._note_recovery()
        return result

    async def _once(self, operation: str, call: Callable[[], Awaitable[T]], *, safe: bool) -> T:
        began = time.monotonic()
        outcome = "ok"
        try:
            async with self._lane.slot(operation), await self._breakers.get_breaker(self.vendor):
                return await self._in_time(operation, call, safe=safe)
        except OpenedState as error:
            outcome = "breaker_open"
            raise BreakerOpen(f"{self.vendor}: breaker open", vendor=self.vendor) from error
        except BaseException as error:
            outcome = getattr(error, "code", "error")
            raise
        finally:
            _CALLS.labels(self.vendor, operation, outcome).observe(time.monotonic() - began)

    async def _in_time(self, operation: str, call: Callable[[], Awaitable[T]], *, safe: bool) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                return await call()
        except TimeoutError as error:
            kind = ExternalUnavailable if safe else OutcomeUnknown
            raise kind(f"{operation}: no answer within {self._timeout} s", vendor=self.vendor) from error

    def _note_outage(self, operation: str, error: ExternalError) -> None:
        if not _is_vendors_fault(error) or isinstance(error, BreakerOpen | LaneClosed):
            return
        if not self._is_down:
            self._is_down = True
            _log.warning("vendor.outage_began", vendor=self.vendor, operation=operation, reason=str(error))

    def _note_recovery(self) -> None:
        if self._is_down:
            self._is_down = False
            _log.info("vendor.outage_ended", vendor=self.vendor)


def _is_vendors_fault(error: BaseException) -> bool:
    return isinstance(error, ExternalUnavailable | OutcomeUnknown) and not isinstance(error, LaneClosed | Busy)


def _pause_before_next(error: Exception) -> bool | float:
    """Tell stamina whether to go on: with its own pause, with the vendor's, or not at all."""
    if not isinstance(error, ExternalUnavailable) or isinstance(error, BreakerOpen | LaneClosed | Misconfigured):
        return False
    asked = vars(error).get("retry_after")
    if asked is None:
        return True
    return asked + random.uniform(0, 0.2) if asked <= LONGEST_PAUSE else False  # noqa: S311  spread, not secrecy
