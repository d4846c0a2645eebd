"""Identity documents for pages and API: submit a document and read the state of its check."""

from uuid import UUID

from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.ports.kyc import KycGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.kyc_document import IdentityCheck
from portal_app.infra.clock import now
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.kyc import IdentityCheckRow
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.mirrors.cached_reads import SavedRead
from portal_app.services.profile.kyc_review import apply_review
from portal_app.services.uploads.uploads import submit_document

_PLACE = "identity_checks.digest"


class KycDocuments:
    """Reads a customer's identity check, and takes documents for it."""

    def __init__(self, context: ServiceContext, gateway: KycGateway, live: LiveUpdates) -> None:
        self._context = context
        self._gateway = gateway
        self._live = live

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
        """Count a document against the rate limit, before it is read. Raises RateLimited."""
        await self._context.limits.consume(
            self._context.settings.portal_document_limit, "identity-document", str(customer.user_id)
        )

    async def submit(self, customer: Customer, upload_id: UUID, *, sha256: str = "") -> IdentityCheck:
        """Send a file that arrived to the agents. A workflow waits for its check, and for Salesforce.

        `sha256` is the hash of a file that came whole in a form, in which a repeat has no id to be known by. Raises
        NotFound for an upload that is another's or none for this, Conflict while another document is being checked or
        the file is not complete, InvalidInput for a file that was refused.
        """
        digest = self._context.secrets.ring.index(sha256, _PLACE) if sha256 else None
        await self.check_for(customer)
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            row = await IdentityCheckRow.locked(session, customer.user_id)
            if _is_repeated(row, upload_id, digest):
                return row.to_domain()
            upload = await submit_document(session, customer.user_id, upload_id, at=now())
            row.document_id, row.digest, row.handed_over_at = upload.id, digest, None
            row.was_lost, row.refusal = False, ""
            # Salesforce stores whole seconds.
            row.status, row.note, row.submitted_at = "submitted", None, now().replace(microsecond=0)
            record(session, Tag.DOCUMENT_SUBMITTED, user_id=row.user_id, actor="you")
            workflow = f"identity-document-{upload.id}"
            await self._context.queue.enqueue(session, "hand_over_document", workflow, str(row.user_id), str(upload.id))
            check = row.to_domain()
        await self._live.publish(Change(customer.user_id, "account"))
        return check


def _is_repeated(row: IdentityCheckRow, upload_id: UUID, digest: bytes | None) -> bool:
    """Say whether this very document was taken already. Raises Conflict where none is asked for."""
    if row.status == "submitted" and (row.document_id == upload_id or (digest is not None and row.digest == digest)):
        return True
    if not row.to_domain().is_open:
        words = "Your identity is verified already." if row.status == "verified" else _UNDER_REVIEW
        raise Conflict("a document is there", user_message=words)
    return False


_UNDER_REVIEW = "Your document is being checked already. Wait for the answer before you send another one."
