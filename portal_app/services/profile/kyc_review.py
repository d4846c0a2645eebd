"""Identity checks at Salesforce: documents handed over, then forgotten here; what agents decide, told once."""

import base64
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.ports.kyc import KycGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.kyc_document import CheckAtDesk, Document
from portal_app.infra.clock import now
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.kyc import IdentityCheckRow, IdentityFile
from portal_app.models.user import IdMapping, User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.notifications.notices import raise_notice

PAGE = "/account/verification"
_TAGS = {"verified": Tag.IDENTITY_VERIFIED, "rejected": Tag.IDENTITY_REJECTED}
_AT_ONCE = 200


def apply_review(row: IdentityCheckRow, found: CheckAtDesk) -> bool:
    """Let a row say what Salesforce says; True where the status changed. A document on its way there is newer."""
    row.read_at = now()
    if row.is_on_its_way:
        return False
    is_new = row.status != found.status
    row.was_lost = row.was_lost and found.status == "not_submitted"
    row.status, row.note, row.submitted_at = found.status, found.note or None, found.submitted_at
    return is_new


class KycReview:
    """The worker's side; every public method is one step of a workflow and can be repeated."""

    def __init__(self, base: ServiceContext, desk: KycGateway, live: LiveUpdates) -> None:
        self._database = base.database
        self._notifications = base.notifications
        self._desk = desk
        self._live = live

    async def hand_over(self, user_id: UUID, document_id: UUID) -> None:
        """Put a document with the customer's account. Raises as the port does."""
        async with self._database.unit_of_work() as session:
            kept = await session.get(IdentityFile, document_id)
        if kept is None:
            return
        document = Document("pdf" if kept.kind == "pdf" else "jpg", base64.b64decode(kept.content))
        await self._desk.store(await self.account_of(user_id), document, document_id=document_id)

    async def ask_for_check(self, user_id: UUID, document_id: UUID) -> None:
        """Tell agents that there is a document to check."""
        async with self._database.unit_of_work() as session:
            row = await session.get(IdentityCheckRow, user_id)
        if row is not None and row.document_id == document_id and row.is_on_its_way and row.submitted_at:
            await self._desk.submit(await self.account_of(user_id), submitted_at=row.submitted_at)

    async def forget_document(self, user_id: UUID, document_id: UUID, *, was_lost: bool = False) -> None:
        """Delete our copy; one that could not be handed over is asked for again."""
        async with self._database.unit_of_work() as session:
            row = await IdentityCheckRow.locked(session, user_id)
            if kept := await session.get(IdentityFile, document_id):
                await session.delete(kept)
            if row.document_id != document_id or not row.is_on_its_way:
                return
            if was_lost:
                row.was_lost, row.status, row.submitted_at = True, "not_submitted", None
            else:
                row.handed_over_at = now()
            record(session, Tag.DOCUMENT_LOST if was_lost else Tag.DOCUMENT_HANDED_OVER, user_id=user_id)
        await self._live.publish(Change(user_id, "account"))

    async def apply_account(self, account_id: str) -> str | None:
        """Read an account's check again and tell its customer once what was decided; return who, where it changed."""
        async with self._database.unit_of_work() as session:
            mapping = await IdMapping.by_account(session, account_id)
        if mapping is None:
            return None
        found = await self._desk.status_of(mapping.sf_account_id)
        async with self._database.unit_of_work() as session:
            row = await IdentityCheckRow.locked(session, mapping.user_id)
            is_new = apply_review(row, found)
            if is_new and (tag := _TAGS.get(row.status)):
                await self._inform(session, row)
                record(session, tag, user_id=row.user_id, actor="staff")
        if not is_new:
            return None
        for topic in ("account", "notices"):
            await self._live.publish(Change(mapping.user_id, topic))
        return str(mapping.user_id)

    async def behind(self) -> list[str]:
        """Return the accounts whose check stands otherwise at Salesforce than here: their event was missed."""
        query = select(IdMapping.sf_account_id, IdentityCheckRow.status).join(
            IdentityCheckRow, col(IdentityCheckRow.user_id) == col(IdMapping.user_id)
        )
        async with self._database.unit_of_work() as session:
            known = dict((await session.exec(query.where(IdentityCheckRow.status != "verified"))).all())
        accounts, found = list(known), dict[str, CheckAtDesk]()
        for begin in range(0, len(accounts), _AT_ONCE):
            found |= await self._desk.checks(accounts[begin : begin + _AT_ONCE])
        return [account for account, check in found.items() if check.status != known.get(account)]

    async def account_of(self, user_id: UUID) -> str:
        """Return the Salesforce account of a user. Raises NotFound."""
        return (await self._customer(user_id)).sf_account_id

    async def is_verified(self, customer: Customer) -> bool:
        """Say whether Salesforce has the identity as verified, now."""
        return (await self._desk.status_of(customer.sf_account_id)).status == "verified"

    async def _inform(self, session: AsyncSession, row: IdentityCheckRow) -> None:
        occasion = f"identity_{row.status}"
        user = await session.get(User, row.user_id)
        if user is not None:
            await self._notifications.mail(session, occasion, recipient=user.email, user_id=user.id)
        await raise_notice(session, occasion, user_id=row.user_id, source_id="check", subject="", path=PAGE)

    async def _customer(self, user_id: UUID) -> Customer:
        async with self._database.unit_of_work() as session:
            mapping = await session.get(IdMapping, user_id)
        if mapping is None:
            raise NotFound("no such customer")
        return mapping.to_domain()
