"""Applies changes of personal data at WHMCS, then at Salesforce. Every step is safe to repeat."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.domain.ports.clients import PeopleGateway
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.profile import PersonalData, ProfileChange
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.encryption import KeyRing
from portal_app.models.account_recovery import RecoveryToken
from portal_app.models.profile import ProfileRow
from portal_app.models.user import EMAIL_PLACE, IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.notifications.email_outbox import EmailOutbox


class ProfileChanges:
    """The steps of the profile workflow."""

    def __init__(
        self,
        database: Database,
        people: PeopleGateway,
        crm: CrmGateway,
        *,
        ring: KeyRing,
        email_outbox: EmailOutbox,
        live: LiveUpdates,
    ) -> None:
        self._database = database
        self._people = people
        self._crm = crm
        self._ring = ring
        self._email_outbox = email_outbox
        self._live = live

    async def send_to_whmcs(self, user_id: UUID) -> None:
        """Apply the wanted change at WHMCS and store the result. Raises as the gateway does."""
        customer, row = await self._customer(user_id)
        change = ProfileChange.from_json(row.wanted)
        if change.is_empty:
            return
        async with self._reporting_outage(user_id):
            before = await self._people.person(customer.whmcs_client_id)
            await self._people.change(customer.whmcs_client_id, change)
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, user_id)
            saved = before.completed_from(PersonalData.from_json(row.kept) if row.kept else None)
            row.kept, row.read_at = saved.changed_by(change).to_json(), now()
            left = ProfileChange.from_json(row.wanted).without(change)
            row.wanted = None if left.is_empty else left.to_json()
            row.accepted = ProfileChange.from_json(row.accepted).merged_with(change).to_json()
            row.stands = ""
            await self._change_user(session, customer, change)
        await self._live.publish(Change(user_id, "account"))

    async def send_to_salesforce(self, user_id: UUID) -> None:
        """Apply at Salesforce the change that WHMCS has accepted. Raises as the gateway does."""
        customer, row = await self._customer(user_id)
        change = ProfileChange.from_json(row.accepted)
        if change.is_empty:
            return
        async with self._reporting_outage(user_id):
            await self._crm.change_customer(customer, change)
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, user_id)
            left = ProfileChange.from_json(row.accepted).without(change)
            row.accepted = None if left.is_empty else left.to_json()
            row.stands = ""
            record(session, Tag.PROFILE_HANDED_ON, user_id=user_id)
        await self._live.publish(Change(user_id, "account"))

    async def refresh_from_whmcs(self, client_id: int) -> None:
        """Read a client's data from WHMCS after a change event, store them and update open pages.

        Clients without an account are ignored. Safe to repeat, in any order. Raises as the gateway does.
        """
        async with self._database.unit_of_work() as session:
            mapping = await IdMapping.by_client(session, client_id)
        if mapping is None:
            return
        started_at = now()
        person = await self._people.person(client_id)
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, mapping.user_id)
            if row.read_at is not None and row.read_at > started_at:
                # A concurrent read or write stored newer data.
                return
            saved = PersonalData.from_json(row.kept) if row.kept else None
            current = person.completed_from(saved)
            row.kept, row.read_at = current.to_json(), now()
            is_news = (await User.required(session, mapping.user_id)).update_name(person.full_name)
        if is_news or current != saved:
            await self._live.publish(Change(mapping.user_id, "account"))

    async def finish_if_done(self, user_id: UUID) -> bool:
        """Return whether no change is left; if so, the next change starts a new workflow."""
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, user_id)
            row.is_busy = row.wanted is not None or row.accepted is not None
            return not row.is_busy

    async def record_whmcs_refusal(self, user_id: UUID, code: str) -> None:
        """Drop a change that WHMCS rejected, and notify the customer on the page and by mail."""
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, user_id)
            if row.wanted is None:
                return
            row.wanted, row.stands, row.read_at = None, "refused", None
            user = await User.required(session, user_id)
            record(session, Tag.PROFILE_REFUSED, user_id=user_id, detail={"reason": code})
            await self._email_outbox.enqueue(session, "profile_not_saved", recipient=user.email, user_id=user_id)
        await self._live.publish(Change(user_id, "account"))

    async def record_salesforce_refusal(self, user_id: UUID, code: str) -> None:
        """Record in the audit that Salesforce rejected a change; the change stays and is retried."""
        async with self._database.unit_of_work() as session:
            record(session, Tag.PROFILE_NOT_HANDED_ON, user_id=user_id, detail={"reason": code})

    async def _change_user(self, session: AsyncSession, customer: Customer, change: ProfileChange) -> None:
        user, old_email = await User.required(session, customer.user_id), ""
        if change.first_name is not None and change.last_name is not None:
            user.update_name(f"{change.first_name} {change.last_name}")
        if change.email is not None and change.email != user.email:
            index = self._ring.index(change.email, EMAIL_PLACE)
            other = await User.by_email(session, index)
            if other is not None and other.id != user.id:
                raise Conflict("e-mail registered in the meantime")
            old_email, user.email, user.email_index = user.email, change.email, index
            # Recovery links mailed to the old mailbox must not work any more.
            links = sa.delete(RecoveryToken).where(col(RecoveryToken.user_id) == user.id)
            await (await session.connection()).execute(links)
        at, send = now().isoformat(), self._email_outbox.enqueue
        if old_email:
            number = customer.customer_number
            await send(
                session,
                "email_changed",
                recipient=old_email,
                user_id=user.id,
                new_email=user.email,
                customer_number=number,
            )
        if change.phone is not None:
            await send(session, "phone_changed", recipient=user.email, user_id=user.id, at=at)
        if change.address is not None:
            await send(session, "address_changed", recipient=user.email, user_id=user.id, at=at)

    @asynccontextmanager
    async def _reporting_outage(self, user_id: UUID) -> AsyncIterator[None]:
        """Mark the change as waiting, and update open pages, if a vendor is unavailable within the block."""
        try:
            yield
        except (ExternalUnavailable, OutcomeUnknown):
            async with self._database.unit_of_work() as session:
                row = await ProfileRow.locked(session, user_id)
                is_news, row.stands = row.stands != "away", "away"
            if is_news:
                await self._live.publish(Change(user_id, "account"))
            raise

    async def _customer(self, user_id: UUID) -> tuple[Customer, ProfileRow]:
        async with self._database.unit_of_work() as session:
            row = await session.get(ProfileRow, user_id)
            if row is None:
                raise NotFound("no profile of this user")
            return await IdMapping.customer_of(session, user_id), row
