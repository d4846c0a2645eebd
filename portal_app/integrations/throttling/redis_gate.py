"""The limits of a vendor over all processes: a semaphore with leases and a moving window in Redis.

One sorted set holds the calls. The score of a running call is the end of its lease, that of an ended call the moment of
its end. So a call counts against the rate until one period after its end, and the vendor, whichever moment it counts,
never sees more. A killed process stops to renew its leases: its calls end with them. All times are those of Redis.

A waiting call has a ticket in the queue of its priority, which expires unless the call asks again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from portal_app.infra.redis.scripts import RedisScripts
from portal_app.integrations.throttling.call_limits import PRIORITIES, Answer, CallLimits, CallRequest, LimiterCounts
from portal_app.integrations.throttling.redis_health import AWAY

_TICKET_MILLISECONDS = 2000
_VERDICTS: tuple[Any, ...] = ("admitted", "wait", "full")
_QUEUES = ("customers", "background", "sync")

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# Keys: calls, hour, the three queues; for a customer also the calls and the waiting calls of this customer.
# Answers {0 admitted, 1 wait or 2 full; milliseconds until the next try, 0: unknown; 1: over the customer's share}.
_ACQUIRE = (
    _NOW
    + """
local calls, hour, own_calls, own_waiting = KEYS[1], KEYS[2], KEYS[6], KEYS[7]
local token, level = ARGV[1], tonumber(ARGV[2])
local lease, period, ticket, waited = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local concurrency, rate, queue = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local own_concurrency, own_rate, own_queue = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local mine = KEYS[2 + level]

-- Returns whether another call may start, and after how long the window has room for one.
local function room_in(key, concurrency, rate)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. (now - period))
    -- No lease is longer: the clock of the server was put back.
    for _, early in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. (now + lease), '+inf')) do
        redis.call('ZADD', key, now, early)
    end
    if redis.call('ZCARD', key) >= rate then
        local oldest = tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2])
        return false, oldest <= now and math.max(1, oldest + period + 1 - now) or 0
    end
    return redis.call('ZCOUNT', key, '(' .. now, '+inf') < concurrency, 0
end
local function tickets_in(key)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    return redis.call('ZCARD', key)
end
local function draw_ticket(key)
    redis.call('ZADD', key, now + ticket, token)
    redis.call('PEXPIRE', key, ticket * 2)
end
local function hold(key)
    redis.call('ZADD', key, now + lease, token)
    redis.call('PEXPIRE', key, lease + period * 2)
end
local function refuse(is_over_share)
    redis.call('HINCRBY', hour, 'full', 1)
    redis.call('PEXPIRE', hour, 7200000)
    return {2, 0, is_over_share}
end

-- The answer to an earlier attempt was lost.
if tonumber(redis.call('ZSCORE', calls, token) or 0) > now then return {0, 0, 0} end
local is_own_queue_full = false
if own_calls then
    is_own_queue_full = tickets_in(own_waiting) >= own_queue and not redis.call('ZSCORE', own_waiting, token)
    local has_room, wait = room_in(own_calls, own_concurrency, own_rate)
    if not has_room then
        redis.call('ZREM', mine, token)
        if is_own_queue_full then return refuse(1) end
        draw_ticket(own_waiting)
        return {1, wait, 1}
    end
end
local ahead, waiting = 0, 0
for index = 1, 3 do
    local count = tickets_in(KEYS[2 + index])
    if index < level then ahead = ahead + count end
    if index <= level then waiting = waiting + count end
end
local has_room, wait = room_in(calls, concurrency, rate)
if has_room and ahead == 0 then
    hold(calls)
    redis.call('ZREM', mine, token)
    if own_calls then
        hold(own_calls)
        redis.call('ZREM', own_waiting, token)
    end
    redis.call('HINCRBY', hour, 'entered', 1)
    redis.call('HINCRBY', hour, 'waited', waited)
    if waited > tonumber(redis.call('HGET', hour, 'longest') or 0) then redis.call('HSET', hour, 'longest', waited) end
    redis.call('PEXPIRE', hour, 7200000)
    return {0, 0, 0}
end
if is_own_queue_full then return refuse(1) end
if waiting >= queue and not redis.call('ZSCORE', mine, token) then return refuse(0) end
draw_ticket(mine)
if own_calls then draw_ticket(own_waiting) end
-- Hundreds of waiting calls that all ask ten times a second would cost more than the calls themselves.
if wait == 0 and waiting > 20 then wait = waiting * 4 end
return {1, wait, 0}
"""
)
# Also renews a call whose lease has ended, or that Redis has lost: it still runs.
_RENEW = (
    _NOW
    + """
for index = 1, #KEYS do
    redis.call('ZADD', KEYS[index], now + ARGV[1], ARGV[2 + index])
    redis.call('PEXPIRE', KEYS[index], ARGV[1] + ARGV[2] * 2)
end
"""
)
_RELEASE = (
    _NOW
    + """
for _, key in ipairs({KEYS[1], KEYS[6]}) do redis.call('ZADD', key, 'XX', now, ARGV[1]) end
for _, key in ipairs({KEYS[3], KEYS[4], KEYS[5], KEYS[7]}) do redis.call('ZREM', key, ARGV[1]) end
if ARGV[2] == '1' then
    redis.call('HINCRBY', KEYS[2], 'late', 1)
    redis.call('PEXPIRE', KEYS[2], 7200000)
end
"""
)
_COUNT = (
    _NOW
    + """
local found = {redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf'), redis.call('ZCOUNT', KEYS[1], now - ARGV[1], '+inf')}
for index = 3, 5 do table.insert(found, redis.call('ZCOUNT', KEYS[index], '(' .. now, '+inf')) end
return {found, redis.call('HGETALL', KEYS[2])}
"""
)


class RedisGate:
    """Admits calls as Redis counts them over all processes. All methods raise what AWAY lists while Redis is away."""

    def __init__(self, redis: Redis, name: str, limits: CallLimits, *, lease: float) -> None:
        self._limits = limits
        self._lease = int(lease * 1000)
        self._scripts = RedisScripts(redis)
        self._prefix = f"lane:{{{name}}}:"

    async def acquire(self, call: CallRequest, waited: float) -> Answer:
        """Admit a call that has waited for so many seconds, or return whether and how long it has to wait."""
        own = self._limits
        times = (self._lease, own.period, _TICKET_MILLISECONDS, int(waited * 1000))
        limits = (own.concurrency, own.calls, own.queue, *own.customer_share)
        verdict, wait, is_over_share = await self._run(
            _ACQUIRE, self._keys(call.customer), call.token, call.level + 1, *times, *limits
        )
        return Answer(_VERDICTS[verdict], wait, bool(is_over_share))

    async def renew(self, running: Mapping[str, CallRequest]) -> None:
        """Hold the slots of running calls for another lease. `running` may change meanwhile."""
        held = [
            (key, call)
            for call in running.values()
            for key in (self._calls_key(), *([self._calls_key(call.customer)] if call.customer else []))
        ]
        tokens = [call.token for _, call in held]
        await self._run(_RENEW, [key for key, _ in held], self._lease, self._limits.period, *tokens)
        for _, call in held:
            if call.token not in running:
                # It ended meanwhile, and Redis may have processed its release first.
                await self.release(call)

    async def release(self, call: CallRequest, *, late: bool = False) -> None:
        """Give up the slot and the tickets of a call; `late` counts it as refused after its wait."""
        await self._run(_RELEASE, self._keys(call.customer), call.token, int(late))

    async def counts(self) -> LimiterCounts:
        """Count the calls of all processes."""
        (running, in_window, *waiting), pairs = await self._run(_COUNT, self._keys(), self._limits.period)
        hour = {pairs[place].decode(): int(pairs[place + 1]) for place in range(0, len(pairs), 2)}
        return LimiterCounts(running, in_window, dict(zip(PRIORITIES, waiting, strict=True)), hour)

    def _calls_key(self, customer: str = "") -> str:
        return f"{self._prefix}calls:{customer}" if customer else f"{self._prefix}calls"

    def _keys(self, customer: str = "") -> list[str]:
        keys = [self._calls_key(), f"{self._prefix}hour:{datetime.now(UTC):%d%H}"]
        keys += [self._prefix + queue for queue in _QUEUES]
        return [*keys, self._calls_key(customer), f"{self._prefix}waiting:{customer}"] if customer else keys

    async def _run(self, script: str, keys: list[str], *args: str | int) -> Any:
        try:
            return await self._scripts.run(script, keys, args)
        except AWAY:
            # One missed answer is no outage: a paused process finds its timeout exceeded. Each script may run twice.
            return await self._scripts.run(script, keys, args)
