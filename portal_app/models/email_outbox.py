"""The outbox of emails."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, id_column, time_column


class Mail(SQLModel, table=True):
    """One email to send. Subject and text are rendered from the template when it is sent.

    `content` is the JSON of the template's variables. An empty `language` means the user's language at that time.
    """

    __tablename__ = "mails"

    id: UUID = id_column()
    user_id: UUID | None = Field(default=None, foreign_key="users.id")
    recipient: str = encrypted_column("mails.recipient")
    template: str = Field(sa_column=sa.Column("occasion", sa.String(), nullable=False))
    content: str = encrypted_column("mails.content")
    language: str = ""
    created_at: datetime = time_column(default_factory=now)
    sent_at: datetime | None = time_column(default=None, nullable=True)
