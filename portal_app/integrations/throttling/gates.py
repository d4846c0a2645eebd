"""The two gates of a lane: one that all processes share through Redis, one for a process alone."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast
from uuid import uuid4

from redis.asyncio import Redis

from portal_app.integrations.throttling import scripts
from portal_app.integrations.throttling.liveness import Presence
from portal_app.integrations.throttling.redis_health import AWAY

Priority = Literal["customer", "background", "sync"]
PRIORITIES: tuple[Priority, ...] = ("customer", "background", "sync")
ENTERED, FULL = -1, -2
_TICKET_MILLISECONDS = 2000
_ABSENCE_MILLISECONDS = 1500
_TALKING_TO_REDIS = 8
_RUNNING = -1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a lane lets through; `period` and `lease` (how long a slot lasts unless it is kept) in milliseconds.

    At most `queue` calls wait that are as urgent as the next one, or more.
    """

    concurrency: int
    rate: int
    period: int
    queue: int
    lease: int

    @property
    def settle(self) -> int:
        """How long it takes until every process has told a new epoch what it called."""
        return self.lease // 4 + 500


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """How a lane stands. `hour` has entered, waited and longest (milliseconds), full and late since the hour began."""

    running: int
    in_window: int
    waiting: Mapping[Priority, int]
    hour: Mapping[str, int]


class OwnGate:
    """The limits for this process alone. It knows what this process calls at any time, so that they hold at once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.running: set[str] = set()
        self._ended: deque[tuple[str, float]] = deque()
        self._waiting: dict[str, Priority] = {}

    def enter(self, token: str, priority: Priority) -> int:
        """Return ENTERED, FULL, or a hint in milliseconds for the next try (0: unknown)."""
        now, own = self._forget(), self._limits
        is_full = len(self.running) + len(self._ended) >= own.rate
        level = PRIORITIES.index(priority)
        levels = [PRIORITIES.index(other) for other in self._waiting.values()]
        if not is_full and len(self.running) < own.concurrency and not any(each < level for each in levels):
            self.note(token)
            return ENTERED
        if token not in self._waiting and sum(each <= level for each in levels) >= own.queue:
            return FULL
        self._waiting[token] = priority
        return int(self._ended[0][1] + own.period - now) + 1 if is_full and self._ended else 0

    def note(self, token: str) -> None:
        """Note that a call runs, whoever let it in."""
        self.running.add(token)
        self._waiting.pop(token, None)

    def leave(self, token: str) -> None:
        """Give up the slot or the ticket."""
        self._waiting.pop(token, None)
        if token in self.running:
            self.running.remove(token)
            self._ended.append((token, self._forget()))

    def calls(self) -> list[tuple[str, int]]:
        """Return what counts against the rate: tokens and how many milliseconds ago they ended, -1 for running ones."""
        now = self._forget()
        return [(token, _RUNNING) for token in self.running] + [(token, int(now - at)) for token, at in self._ended]

    def counts(self) -> LaneCounts:
        """Count what this process does now."""
        self._forget()
        waiting = list(self._waiting.values())
        by_priority = {priority: waiting.count(priority) for priority in PRIORITIES}
        return LaneCounts(len(self.running), len(self.running) + len(self._ended), by_priority, {})

    def _forget(self) -> float:
        now = time.monotonic() * 1000
        while self._ended and self._ended[0][1] <= now - self._limits.period:
            self._ended.popleft()
        return now


class SharedGate:
    """The limits as Redis counts them over all processes. `own` tells a Redis that forgot what this one called."""

    def __init__(self, redis: Redis, name: str, limits: Limits, own: OwnGate) -> None:
        self._limits = limits
        self._own = own
        self._epoch = ""
        self._is_behind = False
        self._scripts = {
            script: cast(Callable[..., Awaitable[Any]], redis.register_script(script))
            for script in (scripts.ENTER, scripts.KEEP, scripts.TELL, scripts.LEAVE, scripts.STATE)
        }
        # A crowd at the door must not open a connection each: on a busy host that alone looks like Redis being away.
        self._at_once = asyncio.Semaphore(_TALKING_TO_REDIS)
        self._prefix = f"lane:{{{name}}}:"
        self._holder = uuid4().hex
        self.presence = Presence(redis, f"{self._prefix}running:{self._holder}")

    def token(self) -> str:
        """Name a call of this process."""
        return f"{self._holder}:{uuid4().hex}"

    def fall_behind(self) -> None:
        """Note that a call began or ended of which Redis knows nothing."""
        self._is_behind = True

    async def enter(self, token: str, priority: Priority, waited: float) -> int:
        """Return ENTERED, FULL, or a hint in milliseconds for the next try (0: unknown)."""
        own, level = self._limits, PRIORITIES.index(priority) + 1
        numbers = (own.concurrency, own.lease, own.rate, own.period, own.queue, _TICKET_MILLISECONDS)
        if self._is_behind:
            await self._tell(self._epoch)
        while True:
            names = (token, level, self._epoch, uuid4().hex)
            answer = await self._run(
                scripts.ENTER, *names, *numbers, int(waited * 1000), own.settle, _ABSENCE_MILLISECONDS
            )
            if not isinstance(answer, bytes):
                return int(answer)
            await self._tell(answer.decode())

    async def keep(self) -> None:
        """Hold the slots of this process for another lease, and tell a Redis that forgot."""
        own, sent = self._limits, list(self._own.running)
        names = (self._epoch, uuid4().hex)
        answer = await self._run(scripts.KEEP, *names, own.lease, own.period, own.settle, *sent)
        if isinstance(answer, bytes) or self._is_behind:
            await self._tell(answer.decode() if answer else self._epoch)
        await self._leave_again(sent)

    async def leave(self, token: str, *, late: bool = False) -> None:
        """Give up the slot or the ticket; `late` says that the call was turned away after its wait."""
        await self._run(scripts.LEAVE, token, int(late))

    async def counts(self) -> LaneCounts:
        """Count what all processes do now."""
        (running, in_window, *waiting), pairs = await self._run(scripts.STATE, self._limits.period)
        hour = {pairs[place].decode(): int(pairs[place + 1]) for place in range(0, len(pairs), 2)}
        return LaneCounts(running, in_window, dict(zip(PRIORITIES, waiting, strict=True)), hour)

    async def _tell(self, epoch: str) -> None:
        own, calls = self._limits, self._own.calls()
        has_seen_it_forget = int(self._epoch not in ("", epoch))
        told = [value for call in calls for value in call]
        if await self._run(scripts.TELL, epoch, own.lease, own.period, own.settle, has_seen_it_forget, *told):
            self._epoch, self._is_behind = epoch, False
        await self._leave_again(token for token, ended in calls if ended == _RUNNING)

    async def _leave_again(self, sent: Iterable[str]) -> None:
        for token in sent:
            if token not in self._own.running:
                # It ended meanwhile, and Redis may have heard of that first.
                await self.leave(token)

    async def _run(self, script: str, *values: str | int) -> Any:
        names = [*scripts.KEY_NAMES, f"hour:{datetime.now(UTC):%d%H}"]
        keys = [self._prefix + name for name in names]
        async with self._at_once:
            try:
                return await self._scripts[script](keys=keys, args=list(values))
            except AWAY:
                # Once is no proof: a process that stood still finds its time out beside an answer that was there long
                # ago. Each script may run twice.
                return await self._scripts[script](keys=keys, args=list(values))
