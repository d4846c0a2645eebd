"""Fibre eligibility for the worker: send requests to Salesforce, store answers and notify customers once."""

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

# Customers are not notified of answers older than this.
_NEWS = timedelta(days=3)
_BATCH = 200
_TEMPLATES = {"eligible": "address_available", "ineligible": "address_unavailable"}


class EligibilityAnswers:
    """Sends requests and stores answers. Every public method is one step of a workflow and is safe to repeat."""

    def __init__(
        self, database: Database, gateway: EligibilityGateway, *, email_outbox: EmailOutbox, live: LiveUpdates
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._email_outbox = email_outbox
        self._live = live

    async def hand_over(self, user_id: UUID, check_id: UUID) -> None:
        """Send a request to Salesforce, unless the account has a pending or answered check.

        Raises ExternalUnavailable while a new address has not reached Salesforce, because its arrival resets the
        check.
        """
        async with self._database.unit_of_work() as session:
            row, customer = await session.get(EligibilityRow, user_id), await IdMapping.customer_of(session, user_id)
            moving = await has_pending_address(session, user_id)
        if row is None:
            raise NotFound("no such request")
        if row.check_id != check_id or row.address is None or row.requested_at is None:
            return  # the address changed in the meantime
        if moving:
            raise ExternalUnavailable("the new address is on its way to Salesforce", vendor="salesforce")
        found = await self._gateway.check_of(customer.sf_account_id)
        if found.status == "not_requested":
            request = CheckRequest(check_id, address_from_json(row.address), row.requested_at)
            await self._gateway.request(customer, request)
            # Read again for the time of the write: later events are newer than this state.
            found = await self._gateway.check_of(customer.sf_account_id)
        await self._store(customer, found, check_id=check_id)

    async def apply_account(self, sf_account_id: str) -> None:
        """Read an account's check and store it; accounts of no customer are ignored."""
        async with self._database.unit_of_work() as session:
            mapping = await IdMapping.by_account(session, sf_account_id)
        if mapping is not None:
            await self._store(mapping.to_domain(), await self._gateway.check_of(sf_account_id))

    async def accounts_with_missed_answers(self) -> list[str]:
        """Return the accounts with a pending check that Salesforce has answered: their event was lost."""
        query = (
            select(IdMapping.sf_account_id, EligibilityRow.changed_at)
            .join(EligibilityRow, col(EligibilityRow.user_id) == col(IdMapping.user_id))
            .where(EligibilityRow.status == "pending", sa.true() == col(EligibilityRow.is_handed_over))
        )
        async with self._database.unit_of_work() as session:
            waiting = dict((await session.exec(query)).all())
        found: list[AddressCheck] = []
        accounts: Sequence[str] = list(waiting)
        for begin in range(0, len(accounts), _BATCH):
            found += await self._gateway.checks_of(accounts[begin : begin + _BATCH])
        return [check.account_id for check in found if check.status != "pending"]

    async def _store(self, customer: Customer, found: AddressCheck, *, check_id: UUID | None = None) -> None:
        user_id = customer.user_id
        async with self._database.unit_of_work() as session:
            row = await EligibilityRow.locked(session, user_id)
            if check_id is not None and row.check_id == check_id and not row.is_handed_over:
                row.is_handed_over = True
                record(session, Tag.ADDRESS_CHECK_HANDED_OVER, user_id=user_id)
            is_changed = await apply_answer(session, user_id, found)
            if is_news := _is_news(row):
                await self._notify(session, row)
        if is_changed or is_news or check_id:
            await self._live.publish(Change(user_id, "eligibility"))
        if is_news:
            await self._live.publish(Change(user_id, "notices"))

    async def _notify(self, session: AsyncSession, row: EligibilityRow) -> None:
        """Notify the customer of an answer by mail and in the portal, once."""
        row.told, template = _answer_of(row), _TEMPLATES[row.status]
        user = await User.required(session, row.user_id)
        await self._email_outbox.enqueue(session, template, recipient=user.email, user_id=user.id)
        await raise_notice(
            session,
            template,
            user_id=row.user_id,
            source_id=str(row.check_id or row.user_id),
            subject=", ".join(row.offers),
            path="/catalog/internet",
        )
        record(session, Tag.ADDRESS_CHECKED, user_id=row.user_id, actor="staff", detail={"answer": row.status})


async def apply_answer(session: AsyncSession, user_id: UUID, found: AddressCheck) -> bool:
    """Store the state of Salesforce unless the row is newer; return whether the row changed.

    The row is newer while a new address or a request has not reached Salesforce, and if its time of change is later.
    Salesforce has whole seconds: within the same second an agent's answer is newer than the request.
    """
    row = await EligibilityRow.locked(session, user_id)
    if await has_pending_address(session, user_id) or (row.is_pending and found.status == "not_requested"):
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


async def has_pending_address(session: AsyncSession, user_id: UUID) -> bool:
    """Return whether a new address of a customer has not reached Salesforce yet."""
    profile = await session.get(ProfileRow, user_id)
    if profile is None:
        return False
    pending = ProfileChange.from_json(profile.accepted).merged_with(ProfileChange.from_json(profile.wanted))
    return pending.address is not None


def _is_news(row: EligibilityRow) -> bool:
    is_fresh = row.checked_at is None or row.checked_at > now() - _NEWS
    return row.status in ANSWERS and is_fresh and row.told != _answer_of(row)


def _answer_of(row: EligibilityRow) -> str:
    return f"{row.status} {' '.join(sorted(row.offers))}"
