"""Questions of people without an account, from the proof of their address until Salesforce has them."""

from datetime import datetime
from uuid import UUID

from sqlmodel import SQLModel

from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, id_column, time_column


class ContactMessage(SQLModel, table=True):
    """One question. It is deleted as soon as Salesforce has it."""

    __tablename__ = "contact_messages"

    id: UUID = id_column()
    name: str = encrypted_column("contact_messages.name")
    email: str = encrypted_column("contact_messages.email")
    subject: str = encrypted_column("contact_messages.subject")
    text: str = encrypted_column("contact_messages.text")
    category: str
    language: str
    created_at: datetime = time_column(default_factory=now)
