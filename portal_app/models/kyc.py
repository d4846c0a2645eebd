"""Identity checks, and documents until Salesforce has them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.profile.kyc_document import IdentityCheck
from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, time_column


class IdentityCheckRow(SQLModel, table=True):
    """One customer. `document_id` is the last document, `digest` its keyed hash, by which a repeat is recognised.

    `handed_over_at` is None until Salesforce has the document; `read_at` is the time of the last read of Salesforce.
    """

    __tablename__ = "identity_checks"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    status: str = "not_submitted"
    note: str | None = encrypted_column("identity_checks.note", default=None, nullable=True)
    document_id: UUID | None = None
    digest: bytes | None = None
    was_lost: bool = False
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
        )

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID) -> "IdentityCheckRow":
        """Return a customer's row, locked for this transaction; it is created if missing."""
        connection = await session.connection()
        new = {"user_id": user_id, "status": "not_submitted", "was_lost": False, "read_at": now()}
        await connection.execute(insert(cls).values(new).on_conflict_do_nothing())
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).one()


class IdentityFile(SQLModel, table=True):
    """A document not yet sent to Salesforce, as base64. The web role may insert documents but not read them."""

    __tablename__ = "identity_files"

    document_id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="users.id")
    kind: str
    content: str = encrypted_column("identity_files.content")
    kept_at: datetime = time_column(default_factory=now)
