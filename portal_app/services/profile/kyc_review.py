"""Identity checks for the worker: send documents to Salesforce, delete them here, and store agents' decisions."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.ports.kyc import KycGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.kyc_document import KycReviewState
from portal_app.infra.clock import now
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.kyc import IdentityCheckRow
from portal_app.models.user import IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.notifications.notices import raise_notice
from portal_app.services.uploads.handing_over import HandingOver
from portal_app.services.uploads.uploads import forget_document

PAGE = "/account/verification"
_TAGS = {"verified": Tag.IDENTITY_VERIFIED, "rejected": Tag.IDENTITY_REJECTED}
_BATCH = 200


def apply_review(row: IdentityCheckRow, found: KycReviewState) -> bool:
    """Update a row to the state of Salesforce and return whether the status changed.

    A document that has not reached Salesforce is newer: then only `read_at` is set.
    """
    row.read_at = now()
    if row.is_pending:
        return False
    is_new = row.status != found.status
    row.was_lost = row.was_lost and found.status == "not_submitted"
    row.refusal = row.refusal if row.was_lost else ""
    row.status, row.note, row.submitted_at = found.status, found.note or None, found.submitted_at
    return is_new


class KycReview:
    """Sends documents and stores decisions. Every public method is one step of a workflow and is safe to repeat."""

    def __init__(
        self, context: ServiceContext, gateway: KycGateway, live: LiveUpdates, *, handing_over: HandingOver
    ) -> None:
        self._database = context.database
        self._email_outbox = context.email_outbox
        self._gateway = gateway
        self._live = live
        self._handing_over = handing_over

    async def hand_over(self, user_id: UUID, document_id: UUID) -> str:
        """Store a document with the customer's Salesforce account; return the key of the reason where it is not taken.

        Raises as the port does, and ExternalUnavailable while the document is being checked.
        """
        return await self._handing_over.hand_over_document(document_id, await self.account_of(user_id))

    async def request_review(self, user_id: UUID, document_id: UUID) -> None:
        """Set the check in Salesforce to submitted, so that agents review the document."""
        async with self._database.unit_of_work() as session:
            row = await session.get(IdentityCheckRow, user_id)
        if row is not None and row.document_id == document_id and row.is_pending and row.submitted_at:
            await self._gateway.submit(await self.account_of(user_id), submitted_at=row.submitted_at)

    async def delete_document(
        self, user_id: UUID, document_id: UUID, *, was_lost: bool = False, refusal: str = ""
    ) -> None:
        """Delete our copy. `was_lost`: Salesforce does not have it, so the customer must send one again; `refusal` is
        the key of the reason where the document itself was not taken.
        """
        async with self._database.unit_of_work() as session:
            row = await IdentityCheckRow.locked(session, user_id)
            await forget_document(session, document_id)
            if row.document_id != document_id or not row.is_pending:
                return
            if was_lost:
                row.was_lost, row.refusal, row.status, row.submitted_at = True, refusal, "not_submitted", None
            else:
                row.handed_over_at = now()
            record(session, Tag.DOCUMENT_LOST if was_lost else Tag.DOCUMENT_HANDED_OVER, user_id=user_id)
        await self._live.publish(Change(user_id, "account"))

    async def apply_account(self, account_id: str) -> str | None:
        """Read an account's check, store it and notify the customer of a decision; return the user id if it changed."""
        async with self._database.unit_of_work() as session:
            mapping = await IdMapping.by_account(session, account_id)
        if mapping is None:
            return None
        found = await self._gateway.status_of(mapping.sf_account_id)
        async with self._database.unit_of_work() as session:
            row = await IdentityCheckRow.locked(session, mapping.user_id)
            is_new = apply_review(row, found)
            if is_new and (tag := _TAGS.get(row.status)):
                await self._notify(session, row)
                record(session, tag, user_id=row.user_id, actor="staff")
        if not is_new:
            return None
        for topic in ("account", "notices"):
            await self._live.publish(Change(mapping.user_id, topic))
        return str(mapping.user_id)

    async def accounts_with_missed_reviews(self) -> list[str]:
        """Return the accounts whose status in Salesforce differs from the stored one: their event was lost."""
        query = select(IdMapping.sf_account_id, IdentityCheckRow.status).join(
            IdentityCheckRow, col(IdentityCheckRow.user_id) == col(IdMapping.user_id)
        )
        async with self._database.unit_of_work() as session:
            known = dict((await session.exec(query.where(IdentityCheckRow.status != "verified"))).all())
        accounts, found = list(known), dict[str, KycReviewState]()
        for begin in range(0, len(accounts), _BATCH):
            found |= await self._gateway.checks(accounts[begin : begin + _BATCH])
        return [account for account, check in found.items() if check.status != known.get(account)]

    async def account_of(self, user_id: UUID) -> str:
        """Return the Salesforce account of a user. Raises NotFound."""
        async with self._database.unit_of_work() as session:
            return (await IdMapping.customer_of(session, user_id)).sf_account_id

    async def is_verified(self, customer: Customer) -> bool:
        """Read Salesforce and return whether the identity is verified."""
        return (await self._gateway.status_of(customer.sf_account_id)).status == "verified"

    async def _notify(self, session: AsyncSession, row: IdentityCheckRow) -> None:
        template = f"identity_{row.status}"
        user = await session.get(User, row.user_id)
        if user is not None:
            await self._email_outbox.enqueue(session, template, recipient=user.email, user_id=user.id)
        await raise_notice(session, template, user_id=row.user_id, source_id="check", subject="", path=PAGE)
