"""Fibre eligibility of customers: the last state read from Salesforce, and requests not yet sent there."""

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.checkout.options import address_from_json
from portal_app.domain.internet.eligibility import CheckStatus, Eligibility
from portal_app.models.columns import encrypted_column, json_column, time_column


class EligibilityRow(SQLModel, table=True):
    """One customer. `check_id` is the reference of the customer's request, `address` the address it is about.

    `is_handed_over`: Salesforce has the request. `changed_at` is the account's time of change in Salesforce, `read_at`
    the time of our read. `told` is the answer that the customer was notified of.
    """

    __tablename__ = "internet_eligibility"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    status: str = "not_requested"
    offers: list[str] = json_column(default_factory=list)
    note: str | None = encrypted_column("internet_eligibility.note", default=None, nullable=True)
    check_id: UUID | None = None
    address: str | None = encrypted_column("internet_eligibility.address", default=None, nullable=True)
    is_handed_over: bool = False
    requested_at: datetime | None = time_column(default=None, nullable=True)
    checked_at: datetime | None = time_column(default=None, nullable=True)
    changed_at: datetime | None = time_column(default=None, nullable=True)
    read_at: datetime | None = time_column(default=None, nullable=True)
    told: str = ""

    @property
    def is_pending(self) -> bool:
        """Whether the request has not reached Salesforce yet."""
        return self.status == "pending" and not self.is_handed_over

    def to_domain(self) -> Eligibility:
        """Return the domain object; its address is the one the request is about."""
        return Eligibility(
            status=cast(CheckStatus, self.status),
            offers=tuple(self.offers),
            note=self.note or "",
            requested_at=self.requested_at,
            checked_at=self.checked_at,
            address=address_from_json(self.address) if self.address else None,
        )

    def reset(self) -> None:
        """Clear the row after a change of address; the next answer of Salesforce is accepted again."""
        self.status, self.offers, self.note, self.told = "not_requested", [], None, ""
        self.check_id = self.address = self.requested_at = self.checked_at = self.read_at = None
        self.is_handed_over = False

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID) -> "EligibilityRow":
        """Return a customer's row, locked for this transaction; it is created if missing."""
        new = {"user_id": user_id, "status": "not_requested", "offers": [], "is_handed_over": False, "told": ""}
        await (await session.connection()).execute(insert(cls).values(new).on_conflict_do_nothing())
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).one()
