"""The auth key: one for all processes, kept sealed in Redis, renewed once for all who find it dead."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag

from portal_app.infra.clock import timestamp
from portal_app.infra.redis.cache import Cache
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.tasks.current_customer import working_for

_NAME = "freebit-key"
_PLACE = "freebit.auth_key"


@dataclass(frozen=True, slots=True)
class AuthKey:
    """A key and when it is to be replaced (epoch seconds)."""

    value: str = field(repr=False)
    ends_at: float


class FreebitLogin:
    """Hold the key. `log_in` asks Freebit for a new one and raises our errors."""

    def __init__(self, cache: Cache, ring: KeyRing, log_in: Callable[[], Awaitable[str]], *, seconds: int) -> None:
        self._cache = cache
        self._ring = ring
        self._log_in = log_in
        self._seconds = seconds
        self._own: AuthKey | None = None
        self._lock = asyncio.Lock()

    async def key(self) -> AuthKey:
        """Return the key, getting one if there is none alive. Raises what `log_in` raises."""
        own = self._own
        if own is not None and own.ends_at > timestamp():
            return own
        async with self._lock:
            return self._living() or await self._shared()

    async def renew(self, dead: AuthKey) -> AuthKey:
        """Replace a key that was refused; whoever comes with an older one gets the new one."""
        async with self._lock:
            if self._own is not None and self._own.value == dead.value:
                self._own = None
            current = self._living() or await self._shared()
            if current.value == dead.value:
                await self._cache.invalidate(_NAME)
                current = await self._shared()
            return current

    def _living(self) -> AuthKey | None:
        return self._own if self._own is not None and self._own.ends_at > timestamp() else None

    async def _shared(self) -> AuthKey:
        kept = await self._cache.get_or_set(_NAME, self._sealed, seconds=self._seconds, tags=[_NAME])
        try:
            value = self._ring.open(base64.b64decode(kept["sealed"]), _PLACE, _NAME)
        except InvalidTag:
            # Sealed under a key we no longer have.
            await self._cache.invalidate(_NAME)
            kept = await self._sealed()
            value = self._ring.open(base64.b64decode(kept["sealed"]), _PLACE, _NAME)
        self._own = AuthKey(value, kept["ends_at"])
        return self._own

    async def _sealed(self) -> dict[str, Any]:
        # All customers share the key: its request counts against the share of none.
        with working_for(""):
            value = await self._log_in()
        sealed = base64.b64encode(self._ring.seal(value, _PLACE, _NAME)).decode()
        return {"sealed": sealed, "ends_at": timestamp() + self._seconds}
