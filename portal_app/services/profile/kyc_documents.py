"""Identity documents for pages and API: submit a document and read the state of its check."""

import asyncio
import base64
import hashlib
from uuid import UUID, uuid4

from portal_app.domain.errors import Conflict, NotFound, RateLimited
from portal_app.domain.ports.kyc import KycGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.kyc_document import Document, IdentityCheck
from portal_app.infra.clock import now
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.document_check import read_document
from portal_app.models.kyc import IdentityCheckRow, IdentityFile
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.mirrors.cached_reads import SavedRead
from portal_app.services.profile.kyc_review import apply_review

_PLACE = "identity_checks.digest"
# Documents that are decoded at once, and that wait or are decoded, in one web worker.
_AT_ONCE, _MOST_WAITING, _WAIT_SECONDS = 2, 20, 60


class KycDocuments:
    """Reads a customer's identity check, and stores documents until Salesforce has them."""

    def __init__(self, context: ServiceContext, gateway: KycGateway, live: LiveUpdates) -> None:
        self._context = context
        self._gateway = gateway
        self._live = live
        # Decoding takes a core: two at a time leave the others for requests.
        self._decoders = asyncio.Semaphore(_AT_ONCE)
        self._decoding: set[UUID] = set()

    async def check_for(self, customer: Customer) -> IdentityCheck:
        """Return the state of the check from the stored row; without a row Salesforce is read.

        Changes arrive as events. If Salesforce is needed but slow or unavailable, the state is "not submitted".
        """
        try:
            known, _ = await self._context.reads.get_saved(self._read_of(customer))
        except NotFound:
            known = None
        return known or IdentityCheck()

    def _read_of(self, customer: Customer) -> SavedRead[IdentityCheck | None]:
        return SavedRead(
            key=f"identity:{customer.user_id}",
            vendor="salesforce",
            load=lambda: self._stored(customer),
            is_fresh=lambda known: known is not None,
            update=lambda _: self._update(customer),
            change=Change(customer.user_id, "account"),
        )

    async def _stored(self, customer: Customer) -> IdentityCheck | None:
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(IdentityCheckRow, customer.user_id)
        return row.to_domain() if row else None

    async def _update(self, customer: Customer) -> bool:
        found = await self._gateway.status_of(customer.sf_account_id)
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            apply_review(await IdentityCheckRow.locked(session, customer.user_id), found)
        # Open pages show nothing yet only where somebody stopped waiting.
        return False

    async def count_upload(self, customer: Customer) -> None:
        """Count an upload against the rate limit, before its body is read. Raises RateLimited."""
        await self._context.limits.consume(
            self._context.settings.portal_document_limit, "identity-document", str(customer.user_id)
        )

    async def submit(self, customer: Customer, content: bytes, *, name: str) -> IdentityCheck:
        """Check and store a document. A workflow sends it to Salesforce, which may be unavailable.

        Raises InvalidInput for what is no picture or PDF, Conflict while another one is being checked, RateLimited
        while too many wait.
        """
        digest = self._context.secrets.ring.index(hashlib.sha256(content).hexdigest(), _PLACE)
        await self.check_for(customer)
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(IdentityCheckRow, customer.user_id)
            # Before the work of decoding: it would be for nothing.
            if row and _is_repeated(row, digest):
                return row.to_domain()
        return await self._store(customer, await self._decode(customer, content, name), digest)

    async def _decode(self, customer: Customer, content: bytes, name: str) -> Document:
        """Decode one document of a customer at a time, so that no customer takes the decoders from all others."""
        if customer.user_id in self._decoding:
            raise Conflict("a document is being decoded", user_message=_UNDER_REVIEW)
        if len(self._decoding) >= _MOST_WAITING:
            raise RateLimited(_WAIT_SECONDS)
        self._decoding.add(customer.user_id)
        try:
            async with self._decoders:
                return await asyncio.to_thread(read_document, content, name)
        finally:
            self._decoding.discard(customer.user_id)

    async def _store(self, customer: Customer, document: Document, digest: bytes) -> IdentityCheck:
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            row = await IdentityCheckRow.locked(session, customer.user_id)
            if _is_repeated(row, digest):
                return row.to_domain()
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


def _is_repeated(row: IdentityCheckRow, digest: bytes) -> bool:
    """Say whether this very document was taken already. Raises Conflict where none is asked for."""
    if row.status == "submitted" and row.digest == digest:
        return True
    if not row.to_domain().is_open:
        words = "Your identity is verified already." if row.status == "verified" else _UNDER_REVIEW
        raise Conflict("a document is there", user_message=words)
    return False


_UNDER_REVIEW = "Your document is being checked already. Wait for the answer before you send another one."
