"""Personal data of customers: the last copy read, and changes waiting for WHMCS and Salesforce."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.models.columns import encrypted_column, time_column


class ProfileRow(SQLModel, table=True):
    """One customer. A change is in `wanted` until WHMCS has it, then in `accepted` until Salesforce has it.

    `version` counts the workflows, `is_busy` says that one is running. `stands` is the state of the last change: ""
    (no problem), "away" (a vendor is unavailable) or "refused". `kept` is the data of WHMCS read at `read_at`.
    """

    __tablename__ = "profiles"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    kept: str | None = encrypted_column("profiles.kept", default=None, nullable=True)
    wanted: str | None = encrypted_column("profiles.wanted", default=None, nullable=True)
    accepted: str | None = encrypted_column("profiles.accepted", default=None, nullable=True)
    version: int = 0
    is_busy: bool = False
    stands: str = ""
    read_at: datetime | None = time_column(default=None, nullable=True)

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID) -> "ProfileRow":
        """Return a customer's row, locked for this transaction; it is created if missing."""
        connection = await session.connection()
        new = {"user_id": user_id, "version": 0, "is_busy": False, "stands": ""}
        await connection.execute(insert(cls).values(new).on_conflict_do_nothing())
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).one()


class EmailChange(SQLModel, table=True):
    """A change of the e-mail address whose new mailbox is not verified yet; one per user."""

    __tablename__ = "email_changes"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    email: str = encrypted_column("email_changes.email")
    code_hash: bytes
    attempts_left: int
    expires_at: datetime = time_column()

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID) -> "EmailChange | None":
        """Return a user's change, locked for this transaction."""
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).first()
