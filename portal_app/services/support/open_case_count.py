"""How many questions of a customer's our team has not closed: told from what was read last, read anew behind it."""

from functools import partial

import structlog

from portal_app.domain.errors import PortalError
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import timestamp
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.tasks.background import BackgroundTasks

_log = structlog.get_logger(__name__)
_YOUNG_SECONDS, _KEPT_SECONDS = 60, 24 * 3600
_AT_ONCE = 2


class OpenCaseCount:
    """Count a customer's open cases at Salesforce; nobody waits for the answer."""

    def __init__(self, crm: CrmGateway, cache: Cache, live: LiveUpdates) -> None:
        self._crm = crm
        self._cache = cache
        self._live = live
        self._unwatched = BackgroundTasks(_AT_ONCE)

    async def known_for(self, customer: Customer) -> int | None:
        """Return the count as it was read last, None where it is not known.

        Older than a minute it is read anew, and open pages are told of another one.
        """
        count, read_at = await self._cache.peek(_key(customer)) or (None, 0.0)
        if not 0 <= timestamp() - read_at < _YOUNG_SECONDS:
            self._unwatched.start(customer.user_id, partial(self._read, customer, count))
        return count

    async def close(self) -> None:
        """Break off the readings under way: nobody waits for them."""
        await self._unwatched.close()

    async def _read(self, customer: Customer, before: int | None) -> None:
        async def count() -> list[float]:
            return [await self._crm.open_cases(customer.sf_account_id), timestamp()]

        try:
            # One reading over all processes; who comes a little later shares it.
            found = await self._cache.get_or_set(f"{_key(customer)}:reading", count, seconds=_YOUNG_SECONDS // 2)
        except PortalError as error:
            _log.debug("cases.not_counted", error=error.code)
            return
        await self._cache.put(_key(customer), found, seconds=_KEPT_SECONDS)
        # Where it could not be kept, the page that is told would only begin the next reading.
        if found[0] != before and await self._cache.peek(_key(customer)) == found:
            await self._live.publish(Change(customer.user_id, "account"))


def _key(customer: Customer) -> str:
    return f"cases:{customer.user_id}"
