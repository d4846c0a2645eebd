"""The parts of the portal as customers know them, and whether each works: what our own circuit breakers say."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from portal_app.domain.errors import PortalError
from portal_app.domain.status.part import Part, PartName, PartState
from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings

_KEPT_SECONDS, _DEADLINE_SECONDS = 5.0, 2.0
_BY_VENDOR: dict[str, PartName] = {"whmcs": "billing", "salesforce": "orders", "freebit": "sim"}
_STATES: dict[str, PartState] = {"closed": "works", "half-open": "unsure", "open": "away"}


class Parts:
    """Ask the breakers and PostgreSQL; what they say is kept for some seconds."""

    def __init__(
        self, settings: Settings, database: Database, breakers: Callable[[], Awaitable[dict[str, str]]]
    ) -> None:
        self._database = database
        self._breakers = breakers
        self._vendors = {name: part for name, part in _BY_VENDOR.items() if name != "freebit" or settings.freebit_url}
        self._lock = asyncio.Lock()
        self._known: tuple[Part, ...] = ()
        self._looked_at: float | None = None

    async def states(self) -> tuple[Part, ...]:
        """Return each part with its state. Never raises."""
        async with self._lock:
            if self._looked_at is None or time.monotonic() - self._looked_at >= _KEPT_SECONDS:
                account, vendors = await asyncio.gather(self._account(), self._of_vendors())
                self._known, self._looked_at = (account, *vendors), time.monotonic()
        return self._known

    async def _account(self) -> Part:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                await self._database.ping()
        except (PortalError, TimeoutError):
            return Part("account", "away")
        return Part("account", "works")

    async def _of_vendors(self) -> list[Part]:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                found: dict[str, Any] = await self._breakers()
        except TimeoutError:
            found = {}
        return [Part(part, _STATES.get(found.get(vendor, ""), "unsure")) for vendor, part in self._vendors.items()]
