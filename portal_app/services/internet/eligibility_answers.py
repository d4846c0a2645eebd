"""Address checks, the worker's side: requests handed to agents, and their answers taken over and told once."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.checkout.options import address_from_json
from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.internet.eligibility import ANSWERS, AddressCheck, CheckRequest
from portal_app.domain.ports.internet import EligibilityGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.profile import ProfileChange
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.eligibility import EligibilityRow
from portal_app.models.profile import ProfileRow
from portal_app.models.user import IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.notifications.notices import raise_notice

# An answer that is older when we first hear of it is no news.
_NEWS = timedelta(days=3)
_AT_ONCE = 200
_OCCASIONS = {"eligible": "address_available", "ineligible": "address_unavailable"}


class EligibilityAnswers:
    """Every public method is one step of a workflow and can be repeated."""

    def __init__(
        self, database: Database, desk: EligibilityGateway, *, notifications: EmailOutbox, live: LiveUpdates
    ) -> None:
        self._database = database
        self._desk = desk
        self._notifications = notifications
        self._live = live

    async def hand_over(self, user_id: UUID, check_id: UUID) -> None:
        """Ask an agent at Salesforce, unless the account is being checked or was. Safe to repeat.

        Raises ExternalUnavailable while a new address is on its way there: its arrival begins every check anew.
        """
        async with self._database.unit_of_work() as session:
            row, mapping = await session.get(EligibilityRow, user_id), await session.get(IdMapping, user_id)
            moving = await is_moving(session, user_id)
        if row is None or mapping is None:
            raise NotFound("no such request")
        if row.check_id != check_id or row.address is None or row.requested_at is None:
            return  # the customer moved meanwhile
        if moving:
            raise ExternalUnavailable("the new address is on its way to Salesforce", vendor="salesforce")
        customer = mapping.to_domain()
        found = await self._desk.check_of(customer.sf_account_id)
        if found.status == "not_requested":
            request = CheckRequest(check_id, address_from_json(row.address), row.requested_at)
            await self._desk.request(customer, request)
            # What came of it, with the time at which Salesforce wrote it: later events are newer than this.
            found = await self._desk.check_of(customer.sf_account_id)
        await self._keep(customer, found, check_id=check_id)

    async def apply(self, sf_account_id: str) -> None:
        """Take over what Salesforce says of an account; one that is nobody's of ours is left alone."""
        async with self._database.unit_of_work() as session:
            mapping = await IdMapping.by_account(session, sf_account_id)
        if mapping is not None:
            await self._keep(mapping.to_domain(), await self._desk.check_of(sf_account_id))

    async def behind(self) -> list[str]:
        """Return the accounts whose answer we wait for and that have moved on at Salesforce: an event was lost."""
        query = (
            select(IdMapping.sf_account_id, EligibilityRow.changed_at)
            .join(EligibilityRow, col(EligibilityRow.user_id) == col(IdMapping.user_id))
            .where(EligibilityRow.status == "pending", sa.true() == col(EligibilityRow.is_handed_over))
        )
        async with self._database.unit_of_work() as session:
            waiting = dict((await session.exec(query)).all())
        found: list[AddressCheck] = []
        accounts: Sequence[str] = list(waiting)
        for begin in range(0, len(accounts), _AT_ONCE):
            found += await self._desk.checks_of(accounts[begin : begin + _AT_ONCE])
        return [check.account_id for check in found if check.status != "pending"]

    async def _keep(self, customer: Customer, found: AddressCheck, *, check_id: UUID | None = None) -> None:
        user_id = customer.user_id
        async with self._database.unit_of_work() as session:
            row = await EligibilityRow.locked(session, user_id)
            if check_id is not None and row.check_id == check_id and not row.is_handed_over:
                row.is_handed_over = True
                record(session, Tag.ADDRESS_CHECK_HANDED_OVER, user_id=user_id)
            is_changed = await apply_answer(session, user_id, found)
            if is_told := _is_news(row):
                await self._tell(session, row)
        if is_changed or is_told or check_id:
            await self._live.publish(Change(user_id, "eligibility"))
        if is_told:
            await self._live.publish(Change(user_id, "notices"))

    async def _tell(self, session: AsyncSession, row: EligibilityRow) -> None:
        """Tell the customer of an answer by mail and in the portal, once."""
        row.told, occasion = _answer_of(row), _OCCASIONS[row.status]
        user = await User.required(session, row.user_id)
        await self._notifications.mail(session, occasion, recipient=user.email, user_id=user.id)
        await raise_notice(
            session,
            occasion,
            user_id=row.user_id,
            source_id=str(row.check_id or row.user_id),
            subject=", ".join(row.offers),
            path="/catalog/internet",
        )
        record(session, Tag.ADDRESS_CHECKED, user_id=row.user_id, actor="staff", detail={"answer": row.status})


async def apply_answer(session: AsyncSession, user_id: UUID, found: AddressCheck) -> bool:
    """Write down what Salesforce says unless we know better; say whether that changed anything.

    We know better while a new address or the customer's own request is on its way there, and where what we know is
    newer. The answer of an agent is never older than our own request of the same second.
    """
    row = await EligibilityRow.locked(session, user_id)
    if await is_moving(session, user_id) or (row.is_on_its_way and found.status == "not_requested"):
        return False
    is_older = row.changed_at is not None and found.changed_at < row.changed_at
    is_same_second = found.changed_at == row.changed_at and row.status in ANSWERS and found.status not in ANSWERS
    if row.read_at is not None and (is_older or is_same_second):
        return False
    before = (row.status, row.offers, row.note, row.checked_at)
    row.status, row.offers, row.note = found.status, list(found.offers), found.note or None
    row.checked_at, row.changed_at, row.read_at = found.checked_at, found.changed_at, now()
    row.requested_at = row.requested_at or found.requested_at
    if found.status == "not_requested":
        row.check_id = row.address = row.requested_at = None
        row.is_handed_over, row.told = False, ""
    return before != (row.status, row.offers, row.note, row.checked_at)


async def is_moving(session: AsyncSession, user_id: UUID) -> bool:
    """Say whether a new address of a customer is on its way to Salesforce."""
    profile = await session.get(ProfileRow, user_id)
    if profile is None:
        return False
    coming = ProfileChange.from_json(profile.accepted).then(ProfileChange.from_json(profile.wanted))
    return coming.address is not None


def _is_news(row: EligibilityRow) -> bool:
    is_fresh = row.checked_at is None or row.checked_at > now() - _NEWS
    return row.status in ANSWERS and is_fresh and row.told != _answer_of(row)


def _answer_of(row: EligibilityRow) -> str:
    return f"{row.status} {' '.join(sorted(row.offers))}"
