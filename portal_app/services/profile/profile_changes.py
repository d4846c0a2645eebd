"""Carrying changes of a customer's data out: at WHMCS first, then at Salesforce, each step safe to repeat."""

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
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.encryption import KeyRing
from portal_app.models.account_recovery import RecoveryToken
from portal_app.models.columns import now
from portal_app.models.profile import ProfileRow
from portal_app.models.user import EMAIL_PLACE, IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.notifications.email_outbox import EmailOutbox


class ProfileChanges:
    """The worker's side of a changed profile; a workflow calls these one after the other."""

    def __init__(
        self,
        database: Database,
        people: PeopleGateway,
        crm: CrmGateway,
        *,
        ring: KeyRing,
        notifications: EmailOutbox,
        live: LiveUpdates,
    ) -> None:
        self._database = database
        self._people = people
        self._crm = crm
        self._ring = ring
        self._notifications = notifications
        self._live = live

    async def to_billing(self, user_id: UUID) -> None:
        """Give WHMCS what is wanted, newest word; once it has it, so have we. Raises as the gateway does."""
        customer, row = await self._customer(user_id)
        change = ProfileChange.from_json(row.wanted)
        if change.is_empty:
            return
        async with self._waiting_told(user_id):
            before = await self._people.person(customer.whmcs_client_id)
            await self._people.change(customer.whmcs_client_id, change)
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, user_id)
            kept = before.confirmed_by(PersonalData.from_json(row.kept) if row.kept else None)
            row.kept, row.read_at = kept.changed_by(change).to_json(), now()
            left = ProfileChange.from_json(row.wanted).without(change)
            row.wanted = None if left.is_empty else left.to_json()
            row.accepted = ProfileChange.from_json(row.accepted).then(change).to_json()
            row.stands = ""
            await self._change_user(session, customer, change)
        await self._live.publish(Change(user_id, "account"))

    async def to_crm(self, user_id: UUID) -> None:
        """Give Salesforce what WHMCS has accepted. Raises as the gateway does."""
        customer, row = await self._customer(user_id)
        change = ProfileChange.from_json(row.accepted)
        if change.is_empty:
            return
        async with self._waiting_told(user_id):
            await self._crm.change_customer(customer, change)
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, user_id)
            left = ProfileChange.from_json(row.accepted).without(change)
            row.accepted = None if left.is_empty else left.to_json()
            row.stands = ""
            record(session, Tag.PROFILE_HANDED_ON, user_id=user_id)
        await self._live.publish(Change(user_id, "account"))

    async def read_again(self, client_id: int) -> None:
        """WHMCS says that a client's data changed: read and keep them, and show what is new on open pages.

        Raises as the gateway does; safe to repeat, in any order. Nobody who is no customer here is read.
        """
        async with self._database.unit_of_work() as session:
            mapping = await IdMapping.by_client(session, client_id)
        if mapping is None:
            return
        asked_at = now()
        person = await self._people.person(client_id)
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, mapping.user_id)
            if row.read_at is not None and row.read_at > asked_at:
                # Somebody has read or written them since: what we hold is older.
                return
            kept = PersonalData.from_json(row.kept) if row.kept else None
            confirmed = person.confirmed_by(kept)
            row.kept, row.read_at = confirmed.to_json(), now()
            is_news = (await User.required(session, mapping.user_id)).follow(person.full_name)
        if is_news or confirmed != kept:
            await self._live.publish(Change(mapping.user_id, "account"))

    async def is_finished(self, user_id: UUID) -> bool:
        """Say that nothing is left to do, and let the next change begin a workflow of its own."""
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, user_id)
            row.is_busy = row.wanted is not None or row.accepted is not None
            return not row.is_busy

    async def refuse(self, user_id: UUID, code: str) -> None:
        """WHMCS refused: drop what was wanted, and say so on the page and by mail."""
        async with self._database.unit_of_work() as session:
            row = await ProfileRow.locked(session, user_id)
            if row.wanted is None:
                return
            row.wanted, row.stands, row.read_at = None, "refused", None
            user = await User.required(session, user_id)
            record(session, Tag.PROFILE_REFUSED, user_id=user_id, detail={"reason": code})
            await self._notifications.mail(session, "profile_not_saved", recipient=user.email, user_id=user_id)
        await self._live.publish(Change(user_id, "account"))

    async def note_crm_refusal(self, user_id: UUID, code: str) -> None:
        """Salesforce refused what WHMCS has: keep it, tell the people who read the audit."""
        async with self._database.unit_of_work() as session:
            record(session, Tag.PROFILE_NOT_HANDED_ON, user_id=user_id, detail={"reason": code})

    async def _change_user(self, session: AsyncSession, customer: Customer, change: ProfileChange) -> None:
        user, old_email = await User.required(session, customer.user_id), ""
        if change.first_name is not None and change.last_name is not None:
            user.follow(f"{change.first_name} {change.last_name}")
        if change.email is not None and change.email != user.email:
            index = self._ring.index(change.email, EMAIL_PLACE)
            other = await User.by_email(session, index)
            if other is not None and other.id != user.id:
                raise Conflict("e-mail registered meanwhile")
            old_email, user.email, user.email_index = user.email, change.email, index
            # What was mailed to the old mailbox opens nothing any more.
            links = sa.delete(RecoveryToken).where(col(RecoveryToken.user_id) == user.id)
            await (await session.connection()).execute(links)
        at, tell = now().isoformat(), self._notifications.mail
        if old_email:
            number = customer.customer_number
            await tell(
                session,
                "email_changed",
                recipient=old_email,
                user_id=user.id,
                new_email=user.email,
                customer_number=number,
            )
        if change.phone is not None:
            await tell(session, "phone_changed", recipient=user.email, user_id=user.id, at=at)
        if change.address is not None:
            await tell(session, "address_changed", recipient=user.email, user_id=user.id, at=at)

    @asynccontextmanager
    async def _waiting_told(self, user_id: UUID) -> AsyncIterator[None]:
        """Let the customer's open page say that a vendor is away."""
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
            mapping = await session.get(IdMapping, user_id)
            row = await session.get(ProfileRow, user_id)
        if mapping is None or row is None:
            raise NotFound("no profile of this user")
        return mapping.to_domain(), row
