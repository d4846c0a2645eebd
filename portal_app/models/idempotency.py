"""Idempotency keys."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from portal_app.infra.clock import now
from portal_app.models.columns import time_column


class IdempotencyKey(SQLModel, table=True):
    """The result of a call with this key, stored for 24 hours. While `status` is None, the holder of `claim` runs it.

    Only a keyed hash of the request is stored, because some requests contain passwords.
    """

    __tablename__ = "idempotency_keys"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    route: str = Field(primary_key=True)
    key: str = Field(primary_key=True, max_length=200)
    payload_hash: bytes
    resource_id: str = ""
    status: int | None = None
    claim: UUID | None = None
    created_at: datetime = time_column(default_factory=now)
