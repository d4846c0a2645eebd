"""The address check of a customer: the last known state in Salesforce, and a request on its way there."""

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
    """One customer. `check_id` names the customer's own request, `address` what it asks about.

    `is_handed_over` says that Salesforce has the request. `changed_at` is the account's time of what we know,
    `read_at` ours; `told` names the answer the customer was told of.
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
        """Say whether the customer asked and Salesforce does not know it yet."""
        return self.status == "pending" and not self.is_handed_over

    def to_domain(self) -> Eligibility:
        """Return what the customer may know, about the address it was asked for."""
        return Eligibility(
            status=cast(CheckStatus, self.status),
            offers=tuple(self.offers),
            note=self.note or "",
            requested_at=self.requested_at,
            checked_at=self.checked_at,
            address=address_from_json(self.address) if self.address else None,
        )

    def reset(self) -> None:
        """Begin anew: the address is another one. What Salesforce says counts again once it was read anew."""
        self.status, self.offers, self.note, self.told = "not_requested", [], None, ""
        self.check_id = self.address = self.requested_at = self.checked_at = self.read_at = None
        self.is_handed_over = False

    @classmethod
    async def locked(cls, session: AsyncSession, user_id: UUID) -> "EligibilityRow":
        """Return a customer's row, locked for this transaction, made where it is missing."""
        new = {"user_id": user_id, "status": "not_requested", "offers": [], "is_handed_over": False, "told": ""}
        await (await session.connection()).execute(insert(cls).values(new).on_conflict_do_nothing())
        return (await session.exec(select(cls).where(cls.user_id == user_id).with_for_update())).one()
