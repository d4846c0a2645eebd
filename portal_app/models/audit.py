"""The audit: what was done, for good."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from portal_app.infra.clock import now
from portal_app.models.columns import document, moment


class AuditEntry(SQLModel, table=True):
    """One thing that was done. Roles may add and read rows, never change them."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    user_id: UUID | None = Field(default=None, foreign_key="users.id", index=True)
    at: datetime = moment(default_factory=now)
    actor: str
    tag: str
    detail: dict[str, Any] = document(default_factory=dict)
    address: str = ""
