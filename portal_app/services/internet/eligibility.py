"""Address checks, the customer's side: where a check stands, and asking for one, once per address."""

from uuid import uuid4

from portal_app.domain.checkout.options import address_to_json
from portal_app.domain.errors import ExternalUnavailable, InvalidInput
from portal_app.domain.internet.eligibility import Eligibility
from portal_app.domain.ports.internet import EligibilityGateway
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.customer import Customer
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.columns import now
from portal_app.models.eligibility import EligibilityRow
from portal_app.models.mirror import is_fresh
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.internet.eligibility_answers import apply_answer, is_moving
from portal_app.services.mirrors.cached_reads import SavedRead
from portal_app.services.profile.profiles import Profiles

_NO_ADDRESS = "Add your address in Japanese first: the building decides which lines there are."


class EligibilityChecks:
    """Show and request checks. Salesforce is the authority; our row answers while it is away."""

    def __init__(self, base: ServiceContext, desk: EligibilityGateway, profiles: Profiles, live: LiveUpdates) -> None:
        self._seconds = base.settings.cache_eligibility_seconds
        self._database = base.database
        self._reads = base.reads
        self._desk = desk
        self._profiles = profiles
        self._queue = base.queue
        self._live = live

    async def check_for(self, customer: Customer) -> Eligibility:
        """Return where the check of the customer's address stands; unknown where nobody can tell.

        Raises ExternalUnavailable where not even the address is known.
        """
        address = (await self._profiles.profile_for(customer)).person.address
        read = self._read_of(customer)
        if await self._is_moving(customer):
            # Salesforce knows the former address only.
            return _shown(await read.load(), address, is_away=False)
        row, error = await self._reads.get_saved(read)
        if error is not None and not isinstance(error, ExternalUnavailable):
            raise error
        return _shown(row, address, is_away=error is not None)

    async def request(self, customer: Customer) -> Eligibility:
        """Have the customer's address checked, unless it is being checked or was. Safe to repeat.

        The request is handed over by durable work, so Salesforce may be away. Raises InvalidInput without an address.
        """
        seen = await self.check_for(customer)
        if seen.address is None:
            raise InvalidInput({"address": _NO_ADDRESS})
        if seen.status in (None, "not_requested"):
            await self._ask(customer, seen.address)
            await self._live.publish(Change(customer.user_id, "eligibility"))
        return await self.check_for(customer)

    async def _ask(self, customer: Customer, address: Address) -> None:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await EligibilityRow.locked(session, customer.user_id)
            # Two clicks queue up here; the second finds what the first wrote.
            if row.status != "not_requested" and row.to_domain().address in (None, address):
                return
            row.forget()
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
            found = await self._desk.check_of(customer.sf_account_id)
            async with self._database.unit_of_work(customer=customer.user_id) as session:
                await apply_answer(session, customer.user_id, found)
            # The reader sees it; open pages are told of answers when Salesforce's event comes.
            return False

        return SavedRead(
            key=f"eligibility:{customer.user_id}",
            vendor="salesforce",
            load=load,
            is_fresh=self._is_fresh,
            update=update,
            change=Change(customer.user_id, "eligibility"),
        )

    async def _is_moving(self, customer: Customer) -> bool:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return await is_moving(session, customer.user_id)

    def _is_fresh(self, row: EligibilityRow | None) -> bool:
        return row is not None and (row.is_on_its_way or is_fresh(row.read_at, self._seconds, at=now()))


def _shown(row: EligibilityRow | None, address: Address | None, *, is_away: bool) -> Eligibility:
    """Put what is known beside the address as it is now; what was found for another address counts for nothing."""
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
