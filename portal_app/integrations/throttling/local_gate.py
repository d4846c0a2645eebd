"""The limits of one process: they apply while Redis is unavailable."""

import time
from collections import deque

from portal_app.integrations.throttling.call_limits import PRIORITIES, Answer, CallLimits, CallRequest, LimiterCounts

# A call over its customer's share waits behind all others.
_OVER_SHARE = len(PRIORITIES)


class LocalGate:
    """Counts the calls of this process, including those that Redis admitted."""

    def __init__(self, limits: CallLimits) -> None:
        self._limits = limits
        self.running: dict[str, CallRequest] = {}
        self._ended: deque[tuple[float, str]] = deque()
        self._waiting: dict[str, tuple[int, str]] = {}

    def acquire(self, call: CallRequest) -> Answer:
        """Admit the call, or return whether and how long it has to wait."""
        now, own = self._drop_old_calls(), self._limits
        levels = [level for level, _ in self._waiting.values()]
        is_over_share = self._is_over_share(call)
        is_rate_used = len(self.running) + len(self._ended) >= own.calls
        has_slot = not is_rate_used and len(self.running) < own.concurrency
        if has_slot and not is_over_share and not any(level < call.level for level in levels):
            self.admit(call)
            return Answer("admitted")
        if call.token not in self._waiting and self._is_queue_full(call):
            return Answer("full", is_over_share=is_over_share)
        self._waiting[call.token] = (_OVER_SHARE if is_over_share else call.level), call.customer
        wait = int(self._ended[0][0] + own.period - now) + 1 if is_rate_used and self._ended else 0
        return Answer("wait", wait, is_over_share)

    def admit(self, call: CallRequest) -> None:
        """Record a call that starts, also one that Redis admitted."""
        self.running[call.token] = call
        self._waiting.pop(call.token, None)

    def release(self, token: str) -> None:
        """Give up the slot or the place in the queue."""
        self._waiting.pop(token, None)
        if call := self.running.pop(token, None):
            self._ended.append((self._drop_old_calls(), call.customer))

    def counts(self) -> LimiterCounts:
        """Count the calls of this process."""
        self._drop_old_calls()
        levels = [level for level, _ in self._waiting.values()]
        waiting = {priority: levels.count(level) for level, priority in enumerate(PRIORITIES)}
        return LimiterCounts(len(self.running), len(self.running) + len(self._ended), waiting, {})

    def _is_over_share(self, call: CallRequest) -> bool:
        if not call.customer:
            return False
        concurrency, calls, _ = self._limits.customer_share
        running = sum(each.customer == call.customer for each in self.running.values())
        ended = sum(customer == call.customer for _, customer in self._ended)
        return running >= concurrency or running + ended >= calls

    def _is_queue_full(self, call: CallRequest) -> bool:
        of_customer = sum(customer == call.customer for _, customer in self._waiting.values())
        if call.customer and of_customer >= self._limits.customer_share[2]:
            return True
        return sum(level <= call.level for level, _ in self._waiting.values()) >= self._limits.queue

    def _drop_old_calls(self) -> float:
        now = time.monotonic() * 1000
        while self._ended and self._ended[0][0] <= now - self._limits.period:
            self._ended.popleft()
        return now
