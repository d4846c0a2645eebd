"""Lua scripts at Redis: calls of the same turn of the event loop share a round trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from portal_app.infra.redis.batching import BatchLoader


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    script: str
    keys: Sequence[str]
    args: Sequence[str | bytes | int]


class RedisScripts:
    """Run scripts by their hash; a script is loaded where Redis does not know it yet."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._calls: BatchLoader[_Call, Any] = BatchLoader(self._run)

    async def run(self, script: str, keys: Sequence[str], args: Sequence[str | bytes | int] = ()) -> Any:
        """Run one and return what it returns. Raises RedisError."""
        answer = await self._calls.load(_Call(script, keys, args))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _run(self, calls: Sequence[_Call]) -> Mapping[_Call, Any]:
        answers = dict(zip(calls, await self._ask(calls), strict=True))
        unknown = [call for call, answer in answers.items() if isinstance(answer, NoScriptError)]
        if unknown:
            for script in {call.script for call in unknown}:
                await self._redis.script_load(script)
            answers |= zip(unknown, await self._ask(unknown), strict=True)
        return answers

    async def _ask(self, calls: Sequence[_Call]) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for call in calls:
                pipe.evalsha(_name_of(call.script), len(call.keys), *call.keys, *call.args)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
            return answers


@lru_cache(maxsize=256)
def _name_of(script: str) -> str:
    # Redis names a script by its SHA-1; nothing is kept secret by it.
    return sha1(script.encode(), usedforsecurity=False).hexdigest()
