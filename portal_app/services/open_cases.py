"""How many questions of a customer's our team has not closed: told from what was read last, read anew behind it."""

import asyncio
from uuid import UUID

import structlog

from portal_app.domain.customer import Customer
from portal_app.domain.errors import PortalError
from portal_app.domain.ports import CrmGateway
from portal_app.infra.cache import Cache
from portal_app.infra.live import Change, LiveUpdates

_log = structlog.get_logger(__name__)
_YOUNG_SECONDS, _KEPT_SECONDS = 60, 24 * 3600
# Nobody waits for these: a crowd of them would hold up those who do wait.
_AT_ONCE = 2


class OpenCases:
    """Count a customer's open cases at Salesforce; nobody waits for the answer."""

    def __init__(self, crm: CrmGateway, cache: Cache, live: LiveUpdates) -> None:
        self._crm = crm
        self._cache = cache
        self._live = live
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._running: dict[UUID, asyncio.Task[None]] = {}

    async def known_for(self, customer: Customer) -> int | None:
        """Return the count as it was read last, None where it is not known.

        Older than a minute it is read anew, and open pages are told of another one.
        """
        kept = await self._cache.known(_key(customer))
        if customer.user_id not in self._running and await self._cache.known(_young(customer)) is None:
            reading = asyncio.create_task(self._read(customer))
            self._running[customer.user_id] = reading
            reading.add_done_callback(lambda _: self._running.pop(customer.user_id, None))
        return None if kept is None else int(kept)

    async def close(self) -> None:
        """Break off the readings under way: nobody waits for them."""
        running = list(self._running.values())
        for reading in running:
            reading.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _read(self, customer: Customer) -> None:
        async def count() -> int:
            return await self._crm.open_cases(customer.sf_account_id)

        async with self._room:
            before = await self._cache.known(_key(customer))
            try:
                found = await self._cache.get_or_set(_young(customer), count, seconds=_YOUNG_SECONDS)
            except PortalError as error:
                _log.debug("cases.not_counted", error=error.code)
                return
            await self._cache.keep(_key(customer), found, seconds=_KEPT_SECONDS)
        # Where it could not be kept, the page that is told would only begin the next reading.
        if found != before and await self._cache.known(_key(customer)) == found:
            await self._live.publish(Change(customer.user_id, "account"))


def _key(customer: Customer) -> str:
    return f"open-cases:{customer.user_id}"


def _young(customer: Customer) -> str:
    return f"open-cases-young:{customer.user_id}"
