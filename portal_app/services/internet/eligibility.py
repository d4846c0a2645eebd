"""Fibre eligibility for pages and API: read the state of a check, and request one per address."""

from uuid import uuid4

from portal_app.domain.checkout.options import address_to_json
from portal_app.domain.errors import ExternalUnavailable, InvalidInput
from portal_app.domain.internet.eligibility import Eligibility
from portal_app.domain.ports.internet import EligibilityGateway
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.eligibility import EligibilityRow
from portal_app.models.mirror import is_fresh
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.internet.eligibility_answers import apply_answer, has_pending_address
from portal_app.services.mirrors.cached_reads import SavedRead
from portal_app.services.profile.profiles import Profiles

_NO_ADDRESS = "Add your address in Japanese first: the building decides which lines there are."


class EligibilityChecks:
    """Reads and requests checks. Salesforce is the authority; the stored row is used while it is unavailable."""

    def __init__(
        self, context: ServiceContext, gateway: EligibilityGateway, profiles: Profiles, live: LiveUpdates
    ) -> None:
        self._seconds = context.settings.cache_eligibility_seconds
        self._database = context.database
        self._reads = context.reads
        self._gateway = gateway
        self._profiles = profiles
        self._queue = context.queue
        self._limits = context.customer_limits
        self._live = live

    async def check_for(self, customer: Customer) -> Eligibility:
        """Return the eligibility of the customer's address; its status is None if it is unknown.

        Raises ExternalUnavailable if the address is unknown too.
        """
        address = (await self._profiles.profile_for(customer)).person.address
        read = self._read_of(customer)
        if await self._has_pending_address(customer):
            # Salesforce knows the former address only.
            return _shown(await read.load(), address, is_away=False)
        row, error = await self._reads.get_saved(read)
        if error is not None and not isinstance(error, ExternalUnavailable):
            raise error
        return _shown(row, address, is_away=error is not None)

    async def request(self, customer: Customer) -> Eligibility:
        """Request a check of the customer's address, unless one is pending or answered. Safe to repeat.

        A workflow sends the request, so Salesforce may be unavailable. Raises InvalidInput without an address, and
        RateLimited.
        """
        current = await self.check_for(customer)
        if current.address is None:
            raise InvalidInput({"address": _NO_ADDRESS})
        if current.status in (None, "not_requested"):
            await self._limits.count_change(customer.user_id, "address-check")
            await self._create_request(customer, current.address)
            await self._live.publish(Change(customer.user_id, "eligibility"))
        return await self.check_for(customer)

    async def _create_request(self, customer: Customer, address: Address) -> None:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await EligibilityRow.locked(session, customer.user_id)
            # The row lock serialises two clicks: the second one sees the request of the first.
            if row.status != "not_requested" and row.to_domain().address in (None, address):
                return
            row.reset()
            row.status, row.check_id, row.address = "pending", uuid4(), address_to_json(address)
            row.requested_at = now()
            record(session, Tag.ADDRESS_CHECK_ASKED, user_id=customer.user_id, actor="you")
            name = f"check-address-{row.check_id}"
            await self._queue.enqueue(session, "check_address", name, str(customer.user_id), str(row.check_id))

    def _read_of(self, customer: Customer) -> SavedRead[EligibilityRow | None]:
        async def load() -> EligibilityRow | None:
            async with self._database.unit_of_work(customer=customer.user_id) as session:
                return await session.get(EligibilityRow, customer.user_id)

        async def update(_: EligibilityRow | None) -> bool:
            found = await self._gateway.check_of(customer.sf_account_id)
            async with self._database.unit_of_work(customer=customer.user_id) as session:
                await apply_answer(session, customer.user_id, found)
            # No notification: the customer sees the answer now. Salesforce's event triggers the notification.
            return False

        return SavedRead(
            key=f"eligibility:{customer.user_id}",
            vendor="salesforce",
            load=load,
            is_fresh=self._is_fresh,
            update=update,
            change=Change(customer.user_id, "eligibility"),
        )

    async def _has_pending_address(self, customer: Customer) -> bool:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return await has_pending_address(session, customer.user_id)

    def _is_fresh(self, row: EligibilityRow | None) -> bool:
        return row is not None and (row.is_pending or is_fresh(row.read_at, self._seconds, at=now()))


def _shown(row: EligibilityRow | None, address: Address | None, *, is_away: bool) -> Eligibility:
    """Return the stored eligibility for the current address; an answer for another address does not count."""
    if row is None:
        return Eligibility(status=None if is_away else "not_requested", address=address)
    found = row.to_domain()
    if address is not None and found.address not in (None, address):
        return Eligibility(status="not_requested", address=address)
    return Eligibility(
        status=found.status,
        offers=found.offers,
        note=found.note,
        requested_at=found.requested_at,
        checked_at=found.checked_at,
        address=address,
        as_of=row.read_at if is_away else None,
    )
