"""Set-up of a new account at WHMCS and Salesforce. Every step is safe to repeat."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from portal_app.domain.errors import Conflict, ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.domain.ports.clients import ClientGateway
from portal_app.domain.ports.crm import CrmCustomer, CrmGateway
from portal_app.domain.ports.whmcs_accounts import ExistingAccounts
from portal_app.domain.profile.customer import Profile
from portal_app.domain.profile.profile import PersonalData
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.profile import ProfileRow
from portal_app.models.user import IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.notifications.email_outbox import EmailOutbox


class AccountSetup:
    """Creates the WHMCS client, the Salesforce account and contact, and the mapping of their ids."""

    def __init__(
        self,
        database: Database,
        clients: ClientGateway,
        crm: CrmGateway,
        *,
        existing_accounts: ExistingAccounts,
        email_outbox: EmailOutbox,
        live: LiveUpdates,
    ) -> None:
        self._database = database
        self._clients = clients
        self._crm = crm
        self._existing_accounts = existing_accounts
        self._email_outbox = email_outbox
        self._live = live

    async def create_billing_client(self, user_id: UUID) -> int:
        """Return the WHMCS client id of a user; the client is created if it does not exist.

        Raises Conflict if the e-mail address belongs to a client with another customer number.
        """
        profile, number = await self._profile(user_id)
        async with self.reporting_outage(user_id):
            return await self._billing_client(profile, number)

    async def _billing_client(self, profile: Profile, number: str) -> int:
        existing = await self._clients.find_client(profile.email)
        if existing is None:
            try:
                # Customers never sign in to WHMCS, so it gets a random password.
                return await self._clients.add_client(
                    profile, customer_number=number, password=secrets.token_urlsafe(24)
                )
            except ExternalRejected:
                # An earlier call may have succeeded although its worker was killed before it got the answer.
                existing = await self._clients.find_client(profile.email)
                if existing is None:
                    raise
        if existing.customer_number != number:
            raise Conflict("the address belongs to another WHMCS client")
        return existing.id

    async def create_crm_customer(self, user_id: UUID, client_id: int) -> CrmCustomer:
        """Create or complete the Salesforce account and contact of a user."""
        profile, number = await self._profile(user_id)
        async with self.reporting_outage(user_id):
            # An existing Salesforce contact of this person is used instead of a second one.
            await self._existing_accounts.claim_contact(number, profile.email, user_id)
            return await self._crm.upsert_customer(
                profile, user_id=user_id, customer_number=number, whmcs_client_id=client_id
            )

    async def link(self, user_id: UUID, client_id: int, crm: CrmCustomer) -> None:
        """Store the mapping, delete the sign-up's copy of the profile and send the welcome mail. Safe to repeat."""
        async with self._database.unit_of_work() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise NotFound("no such user")
            if await session.get(IdMapping, user_id) is None:
                session.add(
                    IdMapping(
                        user_id=user_id,
                        whmcs_client_id=client_id,
                        sf_account_id=crm.account_id,
                        sf_contact_id=crm.contact_id,
                        customer_number=user.customer_number,
                    )
                )
                if user.profile is not None:
                    row = await ProfileRow.locked(session, user_id)
                    row.kept = PersonalData.of(Profile.from_json(user.profile)).to_json()
                user.status, user.profile = "active", None
                record(session, Tag.ACCOUNT_LINKED, user_id=user_id)
                await self._email_outbox.enqueue(
                    session, "welcome", recipient=user.email, user_id=user_id, customer_number=user.customer_number
                )
        await self._live.publish(Change(user_id, "account"))

    async def deactivate_client(self, client_id: int) -> None:
        """Set an unused WHMCS client to Inactive."""
        await self._clients.set_client_status(client_id, "Inactive")

    async def mark_failed(self, user_id: UUID, reason: str) -> None:
        """Mark an account as failed, write the audit, mail the customer and update open pages."""
        async with self._database.unit_of_work() as session:
            user = await session.get(User, user_id)
            if user is None or user.status == "failed":
                return
            user.status = "failed"
            record(session, Tag.ACCOUNT_FAILED, user_id=user_id, detail={"reason": reason})
            await self._email_outbox.enqueue(
                session, "sign_up_failed", recipient=user.email, user_id=user_id, customer_number=user.customer_number
            )
        await self._live.publish(Change(user_id, "account"))

    @asynccontextmanager
    async def reporting_outage(self, user_id: UUID) -> AsyncIterator[None]:
        """Mark the account as waiting, and update open pages, if a vendor is unavailable within the block."""
        try:
            yield
        except (ExternalUnavailable, OutcomeUnknown):
            async with self._database.unit_of_work() as session:
                user = await session.get(User, user_id)
                if user is not None and user.status == "setting_up":
                    user.status = "waiting"
            await self._live.publish(Change(user_id, "account"))
            raise

    async def user_in_setup(self, user_id: UUID) -> User:
        """Return a user that is being set up. Raises NotFound."""
        async with self._database.unit_of_work() as session:
            user = await session.get(User, user_id)
        if user is None:
            raise NotFound("no such user")
        return user

    async def _profile(self, user_id: UUID) -> tuple[Profile, str]:
        user = await self.user_in_setup(user_id)
        if user.profile is None:
            raise NotFound("no profile to set up")
        return Profile.from_json(user.profile), user.customer_number
