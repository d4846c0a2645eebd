"""Keys of calls that change something."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from portal_app.infra.clock import now
from portal_app.models.columns import moment


class IdempotencyKey(SQLModel, table=True):
    """What a call with this key led to, kept for 24 hours. No `status` yet: it is carried out by whoever holds `claim`.

    Of what was said only a keyed hash is kept: some calls carry passwords.
    """

    __tablename__ = "idempotency_keys"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    route: str = Field(primary_key=True)
    key: str = Field(primary_key=True, max_length=200)
    payload_hash: bytes
    resource_id: str = ""
    status: int | None = None
    claim: UUID | None = None
    created_at: datetime = moment(default_factory=now)
