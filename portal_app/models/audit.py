"""The audit table."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from portal_app.infra.clock import now
from portal_app.models.columns import json_column, time_column


class AuditEntry(SQLModel, table=True):
    """One audit entry. The database roles may insert and read rows but not change them."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    user_id: UUID | None = Field(default=None, foreign_key="users.id", index=True)
    at: datetime = time_column(default_factory=now)
    actor: str
    tag: str
    detail: dict[str, Any] = json_column(default_factory=dict)
    address: str = ""
