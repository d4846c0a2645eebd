"""What a vendor limiter allows, what a call asks of it, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from portal_app.infra.redis.rate_limit import parse

Priority = Literal["customer", "background", "sync"]
# The more urgent first.
PRIORITIES: tuple[Priority, ...] = ("customer", "background", "sync")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """The limits of a vendor: `concurrency` calls at once, `rate` such as "300/minute" in any window.

    At most `queue` calls of the same or a higher priority wait, none longer than `timeout` seconds. One customer may
    use `customer_percent` of each limit. Without Redis a process allows `local_percent` of each limit.
    """

    concurrency: int
    rate: str
    queue: int
    timeout: float
    customer_percent: int = 50
    local_percent: int = 50

    @property
    def calls(self) -> int:
        """How many calls a window may contain."""
        return parse(self.rate).amount

    @property
    def period(self) -> int:
        """The length of the window in milliseconds."""
        return parse(self.rate).get_expiry() * 1000

    @property
    def customer_share(self) -> tuple[int, int, int]:
        """The share of one customer: calls at once, calls in a window, waiting calls."""
        percent = self.customer_percent
        return _part(self.concurrency, percent), _part(self.calls, percent), _part(self.queue, percent)

    def for_local(self) -> "CallLimits":
        """Return the limits of one process without Redis; the queue and the longest wait stay."""
        limit = parse(self.rate)
        rate = f"{_part(limit.amount, self.local_percent)} per {limit.multiples} {limit.GRANULARITY.name}"
        return replace(self, concurrency=_part(self.concurrency, self.local_percent), rate=rate)


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A call that asks for a slot; `customer` is empty for work that belongs to no customer."""

    token: str
    priority: Priority
    customer: str = ""

    @property
    def level(self) -> int:
        """The position of its priority: 0 is the most urgent."""
        return PRIORITIES.index(self.priority)


class Answer(NamedTuple):
    """Whether a call may start or must not wait; else after how many milliseconds to ask again (0: unknown)."""

    verdict: Literal["admitted", "full", "wait"]
    wait: int = 0
    is_over_share: bool = False


@dataclass(frozen=True, slots=True)
class LimiterCounts:
    """The calls of a limiter. `hour` has entered, waited and longest (milliseconds), full and late of this hour."""

    running: int
    in_window: int
    waiting: Mapping[Priority, int]
    hour: Mapping[str, int]


def _part(limit: int, percent: int) -> int:
    return max(1, limit * percent // 100)
