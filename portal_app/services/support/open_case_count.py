"""How many of a customer's cases our team has not closed: the last known count, updated in the background."""

from pydantic import TypeAdapter

from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.profile.customer import Customer
from portal_app.infra.redis.live import Change
from portal_app.services.mirrors.cached_reads import CachedRead, CachedReads

_COUNT = TypeAdapter(int)
_FRESH_SECONDS = 60


class OpenCaseCount:
    """Count a customer's open cases at Salesforce; no request waits for the answer."""

    def __init__(self, crm: CrmGateway, reads: CachedReads) -> None:
        self._crm = crm
        self._reads = reads

    async def known_for(self, customer: Customer) -> int | None:
        """Return the last count, None where none is known.

        Older than a minute it is read again in the background, and open pages are told of another one.
        """
        count = self._read_of(customer)
        found = await self._reads.peek(count)
        if found is None:
            found = await self._reads.last_answer(count)
            self._reads.refresh(count, shown=found)
        return found

    def _read_of(self, customer: Customer) -> CachedRead[int]:
        return CachedRead(
            key=f"open-cases:{customer.user_id}",
            vendor="salesforce",
            type=_COUNT,
            read=lambda: self._crm.open_cases(customer.sf_account_id),
            seconds=_FRESH_SECONDS,
            remember=lambda found: found,
            change=Change(customer.user_id, "account"),
        )
