"""Identity checks: how they stand, and documents until they are handed over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.profile.kyc_document import IdentityCheck
from portal_app.infra.clock import now
from portal_app.models.columns import moment, sealed


class IdentityCheckRow(SQLModel, table=True):
    """One customer. `document_id` names the last document, `digest` (keyed) knows it again when it comes twice.

    `handed_over_at` is empty while the document is on its way; `read_at` is when Salesforce was last asked.
    """

    __tablename__ = "identity_checks"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    status: str = "not_submitted"
    note: str | None = sealed("identity_checks.note", default=None, nullable=True)
    document_id: UUID | None = None
    digest: bytes | None = None
    was_lost: bool = False
    submitted_at: datetime | None = moment(default=None, nullable=True)
    handed_over_at: datetime | None = moment(default=None, nullable=True)
    read_at: datetime = moment(default_factory=now)

    @property
    def is_on_its_way(self) -> bool:
        """Whether a document still has to reach Salesforce."""
        return self.document_id is not None and self.handed_over_at is None and not self.was_lost

    def to_domain(self) -> IdentityCheck:
        """Return the check as the domain knows it."""
        return IdentityCheck(
            status=self.status,  # type: ignore[arg-type]
            note=self.note or "",
            submitted_at=self.submitted_at,
            is_on_its_way=self.is_on_its_way,
            was_lost=self.was_lost,
        )

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID) -> "IdentityCheckRow":
        """Return a customer's row, locked for this transaction, made where it is missing."""
        connection = await session.connection()
        new = {"user_id": user_id, "status": "not_submitted", "was_lost": False, "read_at": now()}
        await connection.execute(insert(cls).values(new).on_conflict_do_nothing())
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).one()


class IdentityFile(SQLModel, table=True):
    """A document on its way, as base64. The web process may add one, and can never read it again."""

    __tablename__ = "identity_files"

    document_id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="users.id")
    kind: str
    content: str = sealed("identity_files.content")
    kept_at: datetime = moment(default_factory=now)
