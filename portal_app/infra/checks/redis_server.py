"""Checks of Redis: it answers, takes writes, is new enough, evicts the right keys, and lets Reflex set it up."""

import os
from collections.abc import Awaitable
from typing import Any, cast
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from portal_app.infra.checks.check import Check, Problem, Unfit
from portal_app.infra.production import is_loopback
from portal_app.infra.redis.client import connect
from portal_app.infra.redis.refusals import refusal_of, write_probe
from portal_app.infra.settings import Settings

_SECONDS = 5.0
_OLDEST = (7, 0)
# Decision 0018 says why: what has no expiry must stay, and what protects during a flood must not go first.
_WANTED = ("volatile-lru", "volatile-lfu")
_FULL_PERCENT = 90
_NOTIFY = "notify-keyspace-events"
_IGNORES_CONFIG = "REFLEX_IGNORE_REDIS_CONFIG_ERROR"


def redis_checks(settings: Settings) -> list[Check]:
    """Return the checks of Redis."""

    async def reached() -> str:
        return await _with(settings, _reached)

    async def fit() -> str:
        return await _with(settings, _fit)

    async def notifies() -> str:
        return await _with(settings, _notifies)

    async def private() -> str:
        return _private(settings)

    return [
        Check("redis.reached", "Redis", reached),
        Check("redis.fit", "Redis: version and memory", fit, after=("redis.reached",)),
        Check("redis.events", "Redis: set up for open pages", notifies, after=("redis.reached",)),
        Check("redis.private", "Redis: connection", private),
    ]


def version_problem(version: str) -> Problem | None:
    """Return what is wrong with a server's version, as INFO tells it."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if numbers >= _OLDEST:
        return None
    return Problem(f"Redis is {version}; the portal needs 7.0 or later.", "Update Redis, or use Valkey.", "REDIS_URL")


def memory_problem(policy: str, *, used: int, most: int) -> Problem | None:
    """Return what is wrong with a memory limit of `most` bytes (0: none) and its eviction policy."""
    if not most:
        wrong = "Redis has no memory limit: a flood may take all memory of its host."
        return Problem(
            wrong, "Set maxmemory (512 MB serve for a start) with maxmemory-policy volatile-lru.", is_warning=True
        )
    if policy not in _WANTED:
        wrong = f"Redis's eviction policy is {policy}: " + (
            "when it is full it refuses every write, and pages stay blank."
            if policy == "noeviction"
            else "when it is full it may drop keys that must stay, and customers see old data."
        )
        do = "Set maxmemory-policy to volatile-lru in redis.conf, or with CONFIG SET, or at your provider."
        return Problem(wrong, do, "REDIS_URL", is_warning=policy.startswith("volatile-"))
    if used * 100 >= most * _FULL_PERCENT:
        wrong = f"Redis uses {used * 100 // most} % of its memory limit and will evict keys."
        return Problem(wrong, "Raise maxmemory, and look at evicted_keys of INFO stats.", is_warning=True)
    return None


async def _with(settings: Settings, look: Any) -> str:
    # Waits longer than the portal itself would: a slow answer is another fault than none.
    client = connect(settings.redis_url, seconds=_SECONDS)
    try:
        return str(await look(client))
    finally:
        await client.aclose()


async def _reached(client: Redis) -> str:
    try:
        await write_probe(client)
    except (RedisError, OSError) as error:
        words = refusal_of(error)
        do = "Correct user and password in REDIS_URL." if "password" in words or "user" in words else ""
        do = do or (
            "See to it on the server." if isinstance(error, ResponseError) else "Start it, or correct REDIS_URL."
        )
        raise Unfit(Problem(f"{words}.", do, "REDIS_URL")) from error
    return "answers and takes writes"


async def _fit(client: Redis) -> str:
    try:
        told: dict[str, Any] = await cast(Awaitable[Any], client.info("everything"))
    except ResponseError as error:
        wrong = "Redis does not let this user read INFO, so its version and memory are not seen."
        raise Unfit(Problem(wrong, "Allow +info for the user of REDIS_URL.", is_warning=True)) from error
    version = str(told.get("redis_version", "0"))
    most, used = int(told.get("maxmemory", 0)), int(told.get("used_memory", 0))
    policy = str(told.get("maxmemory_policy", ""))
    found = (version_problem(version), memory_problem(policy, used=used, most=most))
    if problems := [each for each in found if each]:
        raise Unfit(*problems)
    return f"{told.get('server_name', 'redis')} {version}, {used >> 20} of {most >> 20} MB, {policy}"


async def _notifies(client: Redis) -> str:
    if os.environ.get(_IGNORES_CONFIG, "").lower() in ("1", "true", "yes"):
        return f"{_IGNORES_CONFIG} is set"
    try:
        kept: dict[str, str] = await cast(Awaitable[Any], client.config_get(_NOTIFY))
        await cast(Awaitable[Any], client.config_set(_NOTIFY, next(iter(kept.values()), "")))
    except ResponseError as error:
        wrong = f"Redis does not let this user set {_NOTIFY}, which the state of open pages needs."
        do = f"Allow CONFIG for the user, or let the provider set {_NOTIFY} to K$sgxe and set {_IGNORES_CONFIG}=true."
        raise Unfit(Problem(wrong, do, "REDIS_URL")) from error
    return "may be set"


def _private(settings: Settings) -> str:
    parts = urlsplit(settings.redis_url)
    if parts.scheme in ("rediss", "unix") or is_loopback(parts.hostname):
        return parts.scheme
    wrong = "Redis is on another host and is reached without TLS: its password and page states travel readable."
    raise Unfit(
        Problem(wrong, "Use rediss:// where the network between is not yours alone.", "REDIS_URL", is_warning=True)
    )
