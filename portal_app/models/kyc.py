"""Identity checks of customers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.profile.kyc_document import IdentityCheck
from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, time_column


class IdentityCheckRow(SQLModel, table=True):
    """One customer. `document_id` is the upload of the last document.

    `digest` is the keyed hash of one that came whole in a form, by which a repeat is recognised. `refusal` is the key
    of the reason why the last document was not taken. `handed_over_at` is None until Salesforce has the document;
    `read_at` is the time of the last read of Salesforce.
    """

    __tablename__ = "identity_checks"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    status: str = "not_submitted"
    note: str | None = encrypted_column("identity_checks.note", default=None, nullable=True)
    document_id: UUID | None = None
    digest: bytes | None = None
    was_lost: bool = False
    refusal: str = ""
    submitted_at: datetime | None = time_column(default=None, nullable=True)
    handed_over_at: datetime | None = time_column(default=None, nullable=True)
    read_at: datetime = time_column(default_factory=now)

    @property
    def is_pending(self) -> bool:
        """Whether a document has not reached Salesforce yet."""
        return self.document_id is not None and self.handed_over_at is None and not self.was_lost

    def to_domain(self) -> IdentityCheck:
        """Return the domain object."""
        return IdentityCheck(
            status=self.status,
            note=self.note or "",
            submitted_at=self.submitted_at,
            is_pending=self.is_pending,
            was_lost=self.was_lost,
            refusal=self.refusal,
        )

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID) -> "IdentityCheckRow":
        """Return a customer's row, locked for this transaction; it is created if missing."""
        connection = await session.connection()
        new = {"user_id": user_id, "status": "not_submitted", "was_lost": False, "refusal": "", "read_at": now()}
        await connection.execute(insert(cls).values(new).on_conflict_do_nothing())
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).one()
