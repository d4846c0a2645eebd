"""The mails that are sent once."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from portal_app.infra.clock import now
from portal_app.models.columns import key, moment, sealed


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
