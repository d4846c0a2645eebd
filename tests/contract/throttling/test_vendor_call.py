"""VendorCall: retries, deadlines, the breaker, and one log line per outage."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from portal_app.domain.errors import ExternalError, ExternalRejected, ExternalUnavailable, OutcomeUnknown
from portal_app.integrations.http import retry_after, vendor_client
from portal_app.integrations.throttling.breaker import BreakerOpen
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.local_breaker import BreakerTimes
from portal_app.integrations.throttling.vendor_call import ATTEMPTS, Misconfigured, VendorCall

TIMES = BreakerTimes(failures=5, open=0.3)


@pytest.fixture
def line(redis: Redis) -> VendorCall:
    limiter = VendorLimiter(redis, "vendor", CallLimits(concurrency=5, rate="1000/minute", queue=20, timeout=2.0))
    return VendorCall("vendor", limiter, timeout=0.3, times=TIMES)


class Vendor:
    """Raises its errors one after the other, then answers."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles, self.calls = list(troubles), 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.troubles:
            raise self.troubles.pop(0)
        return "answer"


def away() -> ExternalUnavailable:
    return ExternalUnavailable("away")


async def hang() -> str:
    await asyncio.sleep(5)
    return ""


async def test_a_safe_call_is_repeated_until_the_vendor_answers(line: VendorCall) -> None:
    vendor = Vendor(away(), away())
    assert await line.run("read", vendor, safe=True) == "answer"
    assert vendor.calls == 3


async def test_a_call_that_is_not_safe_is_sent_once(line: VendorCall) -> None:
    vendor = Vendor(away(), away())
    with pytest.raises(ExternalUnavailable):
        await line.run("write", vendor, safe=False)
    assert vendor.calls == 1


@pytest.mark.parametrize("trouble", [ExternalRejected("no"), Misconfigured("who are you")])
async def test_a_permanent_error_is_not_retried(line: VendorCall, trouble: Exception) -> None:
    vendor = Vendor(trouble)
    with pytest.raises(type(trouble)):
        await line.run("read", vendor, safe=True)
    assert vendor.calls == 1


async def test_a_long_pause_that_the_vendor_asks_for_is_left_to_the_caller(line: VendorCall) -> None:
    busy = away()
    busy.retry_after = 120
    vendor = Vendor(busy)
    with pytest.raises(ExternalUnavailable) as caught:
        await line.run("read", vendor, safe=True)
    assert vendor.calls == 1 and caught.value.retry_after == 120


@pytest.mark.parametrize(("safe", "expected"), [(True, ExternalUnavailable), (False, OutcomeUnknown)])
async def test_a_timeout_is_unavailable_for_reads_and_outcome_unknown_for_writes(
    line: VendorCall, safe: bool, expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        await line.run("call", hang, safe=safe)


async def test_retries_end_at_the_total_deadline_of_a_call(redis: Redis) -> None:
    limiter = VendorLimiter(redis, "vendor", CallLimits(concurrency=5, rate="1000/minute", queue=20, timeout=0.1))
    line, begun = VendorCall("vendor", limiter, timeout=0.3, times=TIMES), []

    async def call() -> str:
        begun.append(1)
        return await hang()

    with pytest.raises(ExternalUnavailable):
        await line.run("read", call, safe=True)
    assert 0 < len(begun) < ATTEMPTS


def test_a_connection_is_given_up_sooner_than_an_answer() -> None:
    client = vendor_client(timeout=15.0)
    assert client.timeout == httpx.Timeout(15.0, connect=5.0, pool=5.0)
    assert not client.trust_env and not client.follow_redirects


async def test_the_breaker_opens_after_failures_and_closes_when_the_vendor_is_back(line: VendorCall) -> None:
    await _fail_often(line, away)
    untouched = Vendor()
    with pytest.raises(BreakerOpen):
        await line.run("read", untouched, safe=True)
    assert untouched.calls == 0
    await asyncio.sleep(0.35)
    assert await line.run("read", untouched, safe=True) == "answer"


async def test_refusals_do_not_open_the_breaker(line: VendorCall) -> None:
    await _fail_often(line, lambda: ExternalRejected("no"))
    assert await line.run("read", Vendor(), safe=True) == "answer"


async def test_an_outage_is_logged_once_when_it_begins_and_once_when_it_ends(line: VendorCall) -> None:
    with capture_logs() as logs:
        await _fail_often(line, away)
        await asyncio.sleep(0.35)
        await line.run("read", Vendor(), safe=True)
        await line.run("read", Vendor(), safe=True)
    assert [entry["event"] for entry in logs] == ["vendor.outage_began", "vendor.outage_ended"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), (" 5 ", 5), ("Thu, 01 Jan 2026 00:00:00 GMT", 0), ("", None), ("soon", None), ("-1", None),
        ("²", None), ("9" * 5000, None), ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_date(header: str, seconds: int | None) -> None:
    assert retry_after(header) == seconds


async def _fail_often(line: VendorCall, trouble: Callable[[], Exception]) -> None:
    for _ in range(TIMES.failures):
        call: Callable[[], Awaitable[str]] = Vendor(trouble())
        with pytest.raises(ExternalError):
            await line.run("write", call, safe=False)
