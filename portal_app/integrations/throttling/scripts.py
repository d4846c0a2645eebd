"""What Redis does for a lane, each step at once for all processes.

The server's clock is used, so that ours need not agree. Tickets and leases expire: a killed process gives back what it
held. A ticket holds back all of lower priority.

A call counts against the rate from its entry until one period after its end. The moment at which the vendor sees it
lies between the two, so that the vendor never sees more than the rate in any window of its own either.

A token begins with its holder's name. A holder subscribes to a channel named after it before its first call: one whose
subscription is gone for longer than it takes to come back has died, and its slots are free.

An epoch is the time in which Redis has forgotten nothing. Whoever finds a new one tells it what it has called in the
last period; while others may not have told yet, nobody enters.
"""

KEY_NAMES = ("running", "window", "epoch", "customers", "background", "sync", "missing")

_PRELUDE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local running, window, epoch, missing, hour = KEYS[1], KEYS[2], KEYS[3], KEYS[7], KEYS[8]
local FIRST, LAST = 4, 6
"""
# Who knew another epoch and finds none has seen Redis forget.
_EPOCH = """
local function epoch_after(known, fresh, settle)
    local name = redis.call('HGET', epoch, 'name')
    if name then return name end
    redis.call('HSET', epoch, 'name', fresh, 'born', now, 'opens', known ~= '' and now + settle or 0)
    return fresh
end
"""
_HOLD = """
local function hold(token, lease, period)
    redis.call('ZADD', running, now + lease, token)
    redis.call('ZADD', window, now + lease, token)
    redis.call('PEXPIRE', running, lease * 2)
    redis.call('PEXPIRE', window, lease + period * 2)
end
"""
# A connection may be lost and made anew, Redis may restart: only who stays away is dead.
_BURY = """
local function is_dead(holder, patience)
    if redis.call('PUBSUB', 'NUMSUB', running .. ':' .. holder)[2] > 0 then
        redis.call('HDEL', missing, holder)
        return false
    end
    local since = redis.call('HGET', missing, holder)
    if since then return now - since >= patience end
    redis.call('HSET', missing, holder, now)
    redis.call('PEXPIRE', missing, patience * 2)
    return false
end
local function bury_the_dead(patience)
    for _, token in ipairs(redis.call('ZRANGE', running, 0, -1)) do
        if is_dead(string.match(token, '^[^:]*'), patience) then
            redis.call('ZREM', running, token)
            redis.call('ZADD', window, now, token)
        end
    end
end
"""
# Answers -1 (entered), -2 (full), a hint in milliseconds for the next try, or the name of an epoch the caller does not
# know yet.
ENTER = (
    _PRELUDE
    + _EPOCH
    + _HOLD
    + _BURY
    + """
local token, level, known, fresh = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local concurrency, lease, rate, period, queue, ticket, waited, settle, absence = tonumber(ARGV[5]), tonumber(ARGV[6]),
    tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]),
    tonumber(ARGV[13])
local name = epoch_after(known, fresh, settle)
if name ~= known then return name end
local closed = tonumber(redis.call('HGET', epoch, 'opens')) - now
redis.call('ZREMRANGEBYSCORE', running, '-inf', now)
-- Exclusive: times are cut to whole milliseconds, and a window must be over, not almost.
redis.call('ZREMRANGEBYSCORE', window, '-inf', '(' .. (now - period))
-- Nothing is held for longer than a lease: the server's clock was put back.
redis.call('ZREMRANGEBYSCORE', running, '(' .. (now + lease), '+inf')
for _, early in ipairs(redis.call('ZRANGEBYSCORE', window, '(' .. (now + lease), '+inf')) do
    redis.call('ZADD', window, now, early)
end
local waiting, ahead = 0, 0
for index = FIRST, LAST do
    redis.call('ZREMRANGEBYSCORE', KEYS[index], '-inf', now)
    local count = redis.call('ZCARD', KEYS[index])
    local place = index - FIRST + 1
    if place < level then ahead = ahead + count end
    -- Who is less urgent never takes the place of who is more.
    if place <= level then waiting = waiting + count end
end
if redis.call('ZCARD', running) >= concurrency then bury_the_dead(absence) end
local hint = math.max(closed, 0)
local is_full = redis.call('ZCARD', window) >= rate
if is_full and hint == 0 then
    local oldest = tonumber(redis.call('ZRANGE', window, 0, 0, 'WITHSCORES')[2])
    if oldest <= now then hint = math.max(1, oldest + period + 1 - now) end
end
-- A crowd that came ten times a second each would cost more than the calls: together they come often enough.
if hint == 0 and waiting > 20 then hint = waiting * 4 end
local mine = KEYS[FIRST - 1 + level]
if closed <= 0 and not is_full and redis.call('ZCARD', running) < concurrency and ahead == 0 then
    hold(token, lease, period)
    redis.call('ZREM', mine, token)
    redis.call('HINCRBY', hour, 'entered', 1)
    redis.call('HINCRBY', hour, 'waited', waited)
    if waited > tonumber(redis.call('HGET', hour, 'longest') or 0) then redis.call('HSET', hour, 'longest', waited) end
    redis.call('PEXPIRE', hour, 7200000)
    return -1
end
if not redis.call('ZSCORE', mine, token) and waiting >= queue then
    redis.call('HINCRBY', hour, 'full', 1)
    redis.call('PEXPIRE', hour, 7200000)
    return -2
end
redis.call('ZADD', mine, now + ticket, token)
redis.call('PEXPIRE', mine, ticket * 2)
return hint
"""
)
# Takes the tokens of the calls that run. Also one that Redis has taken for lost is held again: the process stood still,
# the call was under way all the time. Answers the name of an epoch the caller does not know yet, else 0.
KEEP = (
    _PRELUDE
    + _EPOCH
    + _HOLD
    + """
local name = epoch_after(ARGV[1], ARGV[2], tonumber(ARGV[5]))
if name ~= ARGV[1] then return name end
for index = 6, #ARGV do hold(ARGV[index], tonumber(ARGV[3]), tonumber(ARGV[4])) end
return 0
"""
)
# Takes the epoch's name, lease, period, settle time, 1 from who has seen Redis forget, and for each call of the last
# period its token and how long ago it ended, -1 for one that runs.
TELL = (
    _PRELUDE
    + _HOLD
    + """
if redis.call('HGET', epoch, 'name') ~= ARGV[1] then return 0 end
local lease, period = tonumber(ARGV[2]), tonumber(ARGV[3])
local opens = redis.call('HGET', epoch, 'born') + ARGV[4]
if ARGV[5] == '1' and opens > now then redis.call('HSET', epoch, 'opens', opens) end
for index = 6, #ARGV, 2 do
    local age = tonumber(ARGV[index + 1])
    if age < 0 then
        hold(ARGV[index], lease, period)
    else
        redis.call('ZREM', running, ARGV[index])
        redis.call('ZADD', window, now - age, ARGV[index])
    end
end
redis.call('PEXPIRE', window, lease + period * 2)
return 1
"""
)
LEAVE = (
    _PRELUDE
    + """
if redis.call('ZREM', running, ARGV[1]) == 1 then redis.call('ZADD', window, now, ARGV[1]) end
for index = FIRST, LAST do redis.call('ZREM', KEYS[index], ARGV[1]) end
if ARGV[2] == '1' then
    redis.call('HINCRBY', hour, 'late', 1)
    redis.call('PEXPIRE', hour, 7200000)
end
"""
)
STATE = (
    _PRELUDE
    + """
local counts = {redis.call('ZCOUNT', running, now, '+inf'), redis.call('ZCOUNT', window, now - ARGV[1], '+inf')}
for index = FIRST, LAST do table.insert(counts, redis.call('ZCOUNT', KEYS[index], now, '+inf')) end
return {counts, redis.call('HGETALL', hour)}
"""
)
