"""Address checks, the customer's side: where a check stands, and asking for one, once per address."""

from datetime import timedelta
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
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.internet.eligibility_answers import apply_answer, is_moving
from portal_app.services.profile.profiles import Profiles

_NO_ADDRESS = "Add your address in Japanese first: the building decides which lines there are."


class EligibilityChecks:
    """Show and request checks. Salesforce is the authority; our row answers while it is away."""

    def __init__(self, base: ServiceContext, desk: EligibilityGateway, profiles: Profiles, live: LiveUpdates) -> None:
        self._age = timedelta(seconds=base.settings.cache_eligibility_seconds)
        self._database = base.database
        self._readings = base.readings
        self._desk = desk
        self._profiles = profiles
        self._queue = base.queue
        self._live = live

    async def check_for(self, customer: Customer) -> Eligibility:
        """Return where the check of the customer's address stands; unknown where nobody can tell.

        Raises ExternalUnavailable where not even the address is known.
        """
        address = (await self._profiles.profile_for(customer)).person.address
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row, moving = (
                await session.get(EligibilityRow, customer.user_id),
                await is_moving(session, customer.user_id),
            )
        is_read = row is not None and (row.is_on_its_way or self._is_young(row))
        is_away = not is_read and not moving and not await self._read(customer)
        if not is_read and not is_away:
            async with self._database.unit_of_work(customer=customer.user_id) as session:
                row = await session.get(EligibilityRow, customer.user_id)
        return _shown(row, address, is_away=is_away)

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

    async def _read(self, customer: Customer) -> bool:
        """Read the state anew and keep it; False while Salesforce is slow or away: a reading under way goes on."""

        async def read() -> None:
            async with self._database.unit_of_work(customer=customer.user_id) as session:
                row = await session.get(EligibilityRow, customer.user_id)
            if row is not None and self._is_young(row):
                return
            found = await self._desk.check_of(customer.sf_account_id)
            async with self._database.unit_of_work(customer=customer.user_id) as session:
                # Who reads here sees it: the customer is told of answers when Salesforce's event comes.
                await apply_answer(session, customer.user_id, found)

        tell = Change(customer.user_id, "eligibility")
        try:
            await self._readings.read_once("eligibility", read, vendor="salesforce", tell=tell)
        except ExternalUnavailable:
            return False
        return True

    def _is_young(self, row: EligibilityRow) -> bool:
        return row.read_at is not None and now() - row.read_at < self._age


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
