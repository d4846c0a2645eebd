"""What happened, for good: the audit, and the mails that were sent about it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from portal_app.models.columns import document, key, moment, now, sealed


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


class Mail(SQLModel, table=True):
    """A mail to be sent once; its words are made from the occasion when it is sent.

    An empty `language` is the customer's own.
    """

    __tablename__ = "mails"

    id: UUID = key()
    user_id: UUID | None = Field(default=None, foreign_key="users.id")
    recipient: str = sealed("mails.recipient")
    occasion: str
    content: str = sealed("mails.content")
    language: str = ""
    created_at: datetime = moment(default_factory=now)
    sent_at: datetime | None = moment(default=None, nullable=True)
