"""Identity documents for pages and API: submit a document and read the state of its check."""

import asyncio
import base64
import hashlib
from functools import partial
from uuid import uuid4

from portal_app.domain.errors import Conflict, ExternalError, NotFound
from portal_app.domain.ports.kyc import KycGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.kyc_document import Document, IdentityCheck
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.document_check import read_document
from portal_app.models.columns import now
from portal_app.models.kyc import IdentityCheckRow, IdentityFile
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.profile.kyc_review import apply_review

_PLACE = "identity_checks.digest"


class KycDocuments:
    """Reads a customer's identity check, and stores documents until Salesforce has them."""

    def __init__(self, context: ServiceContext, gateway: KycGateway, live: LiveUpdates) -> None:
        self._context = context
        self._gateway = gateway
        self._live = live
        # Decoding needs a whole core, so at most two documents are checked at a time.
        self._decoding = asyncio.Semaphore(2)

    async def check_for(self, customer: Customer) -> IdentityCheck:
        """Return the state of the check from the stored row; without a row Salesforce is read.

        Changes arrive as events. If Salesforce is needed but slow or unavailable, the state is "not submitted".
        """
        if (known := await self._stored(customer)) is not None:
            return known
        tell = Change(customer.user_id, "account")
        try:
            await self._context.readings.read_once(
                "identity", partial(self._read, customer), vendor="salesforce", tell=tell
            )
        except (ExternalError, NotFound):
            return IdentityCheck()
        return await self._stored(customer) or IdentityCheck()

    async def _stored(self, customer: Customer) -> IdentityCheck | None:
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(IdentityCheckRow, customer.user_id)
        return row.to_domain() if row else None

    async def _read(self, customer: Customer) -> None:
        if await self._stored(customer) is not None:
            return
        found = await self._gateway.status_of(customer.sf_account_id)
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            apply_review(await IdentityCheckRow.locked(session, customer.user_id), found)

    async def count_upload(self, customer: Customer) -> None:
        """Count an upload against the rate limit, before its body is read. Raises RateLimited."""
        await self._context.limits.consume(
            self._context.settings.portal_document_limit, "identity-document", str(customer.user_id)
        )

    async def submit(self, customer: Customer, content: bytes, *, name: str) -> IdentityCheck:
        """Check and store a document. A workflow sends it to Salesforce, which may be unavailable.

        Submitting the same document twice has no effect. Raises InvalidInput for a file that is not a valid image or
        PDF, and Conflict while another document is being checked.
        """
        async with self._decoding:
            document = await asyncio.to_thread(read_document, content, name)
        await self.check_for(customer)
        return await self._store(customer, document, hashlib.sha256(content).hexdigest())

    async def _store(self, customer: Customer, document: Document, fingerprint: str) -> IdentityCheck:
        digest = self._context.secrets.ring.index(fingerprint, _PLACE)
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            row = await IdentityCheckRow.locked(session, customer.user_id)
            if row.status == "submitted" and row.digest == digest:
                return row.to_domain()
            if not row.to_domain().is_open:
                message = "Your identity is verified already." if row.status == "verified" else _UNDER_REVIEW
                raise Conflict("a document is there", user_message=message)
            file = IdentityFile(
                document_id=uuid4(),
                user_id=row.user_id,
                kind=document.kind,
                content=base64.b64encode(document.content).decode(),
            )
            session.add(file)
            row.document_id, row.digest, row.handed_over_at, row.was_lost = file.document_id, digest, None, False
            # Salesforce stores whole seconds.
            row.status, row.note, row.submitted_at = "submitted", None, now().replace(microsecond=0)
            record(session, Tag.DOCUMENT_SUBMITTED, user_id=row.user_id, actor="you")
            workflow = f"identity-document-{file.document_id}"
            await self._context.queue.enqueue(
                session, "hand_over_document", workflow, str(row.user_id), str(file.document_id)
            )
            check = row.to_domain()
        await self._live.publish(Change(customer.user_id, "account"))
        return check


_UNDER_REVIEW = "Your document is being checked already. Wait for the answer before you send another one."
