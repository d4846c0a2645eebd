"""Files on their way to Salesforce, in sealed parts, and files on their way from there."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.uploads.upload import Upload
from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_bytes_column, encrypted_column, id_column, time_column


class UploadRow(SQLModel, table=True):
    """One file of a customer.

    `lease` names the request whose piece arrives, until `lease_until`. `parts` counts those of the file as it came,
    `checked_parts` those that the check wrote instead; None: it is sent as it came. `tried_at` is the time of a call
    whose outcome may not be known yet. `is_document`: the customer submitted it as an identity document, and it is not
    at Salesforce yet. `digest` is the keyed hash of what is sent, `md5` what Salesforce compares.
    """

    __tablename__ = "uploads"

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    name: str = encrypted_column("uploads.name")
    size: int = Field(sa_type=sa.BigInteger)
    received: int = Field(default=0, sa_type=sa.BigInteger)
    parts: int = 0
    state: str = "receiving"
    refusal: str = ""
    draft: str = Field(default="", max_length=40)
    message_id: UUID | None = Field(default=None, foreign_key="support_messages.id", index=True)
    position: int = 0
    is_document: bool = False
    lease: UUID | None = None
    lease_until: datetime | None = time_column(default=None, nullable=True)
    media_type: str = ""
    checked_parts: int | None = None
    checked_size: int | None = Field(default=None, sa_type=sa.BigInteger)
    md5: str = ""
    digest: bytes | None = None
    tried_at: datetime | None = time_column(default=None, nullable=True)
    sf_document_id: str | None = Field(default=None, max_length=18, index=True)
    created_at: datetime = time_column(default_factory=now)
    expires_at: datetime = time_column(default_factory=now)

    @property
    def is_submitted(self) -> bool:
        """Whether the customer sent it as part of something: it does not expire, and cannot be taken away."""
        return self.message_id is not None or self.is_document

    @property
    def sent_size(self) -> int:
        """The size of what is sent."""
        return self.size if self.checked_size is None else self.checked_size

    def to_domain(self) -> Upload:
        """Return the domain object."""
        return Upload(
            id=self.id,
            name=self.name,
            size=self.size,
            received=self.received,
            state=self.state,
            refusal=self.refusal,
            draft=self.draft,
            expires_at=self.expires_at,
        )

    @classmethod
    async def locked(cls, session: AsyncSession, upload_id: UUID) -> "UploadRow | None":
        """Return an upload, locked for this transaction."""
        return await session.get(cls, upload_id, with_for_update=True, populate_existing=True)

    @classmethod
    async def of_message(cls, session: AsyncSession, message_id: UUID) -> list["UploadRow"]:
        """Return the files of a message in its order."""
        query = select(cls).where(cls.message_id == message_id).order_by(col(cls.position))
        return list((await session.exec(query)).all())


class UploadPart(SQLModel, table=True):
    """At most 256 KiB of an upload. The web role may write parts and delete them, but not read them.

    `version` 0 is the file as it came, 1 what the check wrote instead.
    """

    __tablename__ = "upload_parts"

    upload_id: UUID = Field(foreign_key="uploads.id", ondelete="CASCADE", primary_key=True)
    version: int = Field(default=0, primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: UUID = Field(foreign_key="users.id")
    content: bytes = encrypted_bytes_column("upload_parts.content")


class CaseFileRow(SQLModel, table=True):
    """One file of a case as last read from Salesforce; `entry` is the mail that it came with, or the case."""

    __tablename__ = "support_files"

    case_id: UUID = Field(foreign_key="support_cases.id", primary_key=True)
    sf_document_id: str = Field(primary_key=True, max_length=18)
    user_id: UUID = Field(foreign_key="users.id")
    entry: str = Field(max_length=18)
    name: str = encrypted_column("support_files.name")
    size: int = Field(sa_type=sa.BigInteger)
    at: datetime = time_column()


class FileCopyRow(SQLModel, table=True):
    """A file fetched from Salesforce, for some minutes, so that a slow reader holds no call there."""

    __tablename__ = "file_copies"

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    sf_document_id: str = Field(max_length=18)
    size: int = Field(default=0, sa_type=sa.BigInteger)
    parts: int = 0
    is_whole: bool = False
    created_at: datetime = time_column(default_factory=now, index=True)


class FileCopyPart(SQLModel, table=True):
    """At most 256 KiB of a copy."""

    __tablename__ = "file_copy_parts"

    copy_id: UUID = Field(foreign_key="file_copies.id", ondelete="CASCADE", primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: UUID = Field(foreign_key="users.id")
    content: bytes = encrypted_bytes_column("file_copy_parts.content")
