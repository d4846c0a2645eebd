"""Identity documents: taken once, kept only until our team has them, and how the check of them stands."""

import asyncio
import base64
import hashlib
from uuid import UUID, uuid4

from portal_app.domain.errors import Conflict, NotFound, RateLimited
from portal_app.domain.ports.kyc import KycGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.kyc_document import Document, IdentityCheck
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.document_check import read_document
from portal_app.models.columns import now
from portal_app.models.kyc import IdentityCheckRow, IdentityFile
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.mirrors.cached_reads import SavedRead
from portal_app.services.profile.kyc_review import apply_review

_PLACE = "identity_checks.digest"
# Documents that are decoded at once, and that wait or are decoded, in one web worker.
_AT_ONCE, _MOST_WAITING, _WAIT_SECONDS = 2, 20, 60


class KycDocuments:
    """Show how a customer's identity check stands, and take documents."""

    def __init__(self, base: ServiceContext, desk: KycGateway, live: LiveUpdates) -> None:
        self._base = base
        self._desk = desk
        self._live = live
        # Decoding takes a core: two at a time leave the others for requests.
        self._decoders = asyncio.Semaphore(_AT_ONCE)
        self._decoding: set[UUID] = set()

    async def check_for(self, customer: Customer) -> IdentityCheck:
        """Return how the check stands, from our row; asked of Salesforce where there is none yet.

        Changes come as events. While Salesforce is slow or away, nothing counts as submitted.
        """
        try:
            known, _ = await self._base.reads.get_saved(self._read_of(customer))
        except NotFound:
            known = None
        return known or IdentityCheck()

    def _read_of(self, customer: Customer) -> SavedRead[IdentityCheck | None]:
        return SavedRead(
            key=f"identity:{customer.user_id}",
            vendor="salesforce",
            load=lambda: self._kept(customer),
            is_fresh=lambda known: known is not None,
            update=lambda _: self._update(customer),
            change=Change(customer.user_id, "account"),
        )

    async def _kept(self, customer: Customer) -> IdentityCheck | None:
        async with self._base.database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(IdentityCheckRow, customer.user_id)
        return row.to_domain() if row else None

    async def _update(self, customer: Customer) -> bool:
        found = await self._desk.status_of(customer.sf_account_id)
        async with self._base.database.unit_of_work(customer=customer.user_id) as session:
            apply_review(await IdentityCheckRow.locked(session, customer.user_id), found)
        # Open pages show nothing yet only where somebody stopped waiting.
        return False

    async def count_try(self, customer: Customer) -> None:
        """Count an upload before its body is read. Raises RateLimited."""
        await self._base.limits.hit(
            self._base.settings.portal_document_limit, "identity-document", str(customer.user_id)
        )

    async def submit(self, customer: Customer, content: bytes, *, name: str) -> IdentityCheck:
        """Take a document; it goes to our team by durable work, so Salesforce may be away. The same one twice is once.

        Raises InvalidInput for what is no picture or PDF, Conflict while another one is being checked, RateLimited
        while too many wait.
        """
        digest = self._base.vault.ring.index(hashlib.sha256(content).hexdigest(), _PLACE)
        await self.check_for(customer)
        async with self._base.database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(IdentityCheckRow, customer.user_id)
            # Before the work of decoding: it would be for nothing.
            if row and _is_repeated(row, digest):
                return row.to_domain()
        return await self._take(customer, await self._decode(customer, content, name), digest)

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

    async def _take(self, customer: Customer, document: Document, digest: bytes) -> IdentityCheck:
        async with self._base.database.unit_of_work(customer=customer.user_id) as session:
            row = await IdentityCheckRow.locked(session, customer.user_id)
            if _is_repeated(row, digest):
                return row.to_domain()
            kept = IdentityFile(
                document_id=uuid4(),
                user_id=row.user_id,
                kind=document.kind,
                content=base64.b64encode(document.content).decode(),
            )
            session.add(kept)
            row.document_id, row.digest, row.handed_over_at, row.was_lost = kept.document_id, digest, None, False
            # Salesforce keeps whole seconds.
            row.status, row.note, row.submitted_at = "submitted", None, now().replace(microsecond=0)
            record(session, Tag.DOCUMENT_SUBMITTED, user_id=row.user_id, actor="you")
            work = f"identity-document-{kept.document_id}"
            await self._base.queue.enqueue(session, "hand_over_document", work, str(row.user_id), str(kept.document_id))
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
