"""Support cases: a mirror of Salesforce's, what customers wrote until Salesforce has it, and their drafts."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.infra.clock import now
from portal_app.models.columns import encrypted_column, id_column, json_column, time_column


class CaseRow(SQLModel, table=True):
    """One case. `sf_case_id` is empty until Salesforce has it.

    `read_at` is when its thread was last read, `stale_at` when a change was last heard of, `seen_at` when the customer
    last had it open, `team_at` when the team last wrote. A case that is gone keeps its row; one that agents merged
    leads to the other. `mail_ids` are the Message-IDs of the first and the last mails about it, `threading_id` is what
    Email-to-Case finds it by. `answer_due_at` is when the team has promised its next step.
    """

    __tablename__ = "support_cases"
    __table_args__ = (sa.Index("ix_support_cases_list", "user_id", "last_activity_at"),)

    id: UUID = id_column()
    user_id: UUID = Field(foreign_key="users.id", index=True)
    sf_case_id: str | None = Field(default=None, unique=True, max_length=18)
    number: str = ""
    subject: str = encrypted_column("support_cases.subject")
    category: str = "other"
    about: str = ""
    status: str = "New"
    is_closed: bool = False
    is_shown: bool = True
    is_seen_by_team: bool = False
    opened_at: datetime = time_column(default_factory=now)
    closed_at: datetime | None = time_column(default=None, nullable=True)
    last_activity_at: datetime = time_column(default_factory=now)
    last_by: str = "customer"
    team_at: datetime | None = time_column(default=None, nullable=True)
    follows: UUID | None = Field(default=None, foreign_key="support_cases.id")
    seen_at: datetime | None = time_column(default=None, nullable=True)
    told_at: datetime | None = time_column(default=None, nullable=True)
    told_id: str = ""
    read_at: datetime | None = time_column(default=None, nullable=True)
    stale_at: datetime | None = time_column(default=None, nullable=True)
    is_gone: bool = False
    merged_into: UUID | None = Field(default=None, foreign_key="support_cases.id")
    threading_id: str = ""
    answer_due_at: datetime | None = time_column(default=None, nullable=True)
    mail_ids: list[Any] = json_column(default_factory=list)

    @classmethod
    async def locked(cls, session: AsyncSession, case_id: UUID) -> "CaseRow | None":
        """Return a case, locked for this transaction."""
        return await session.get(cls, case_id, with_for_update=True)

    @classmethod
    async def own(cls, session: AsyncSession, user_id: UUID, case_id: UUID) -> "CaseRow | None":
        """Return a customer's case; None for another's or one that is not for customers."""
        query = select(cls).where(cls.id == case_id, cls.user_id == user_id, col(cls.is_shown))
        return (await session.exec(query)).first()

    @staticmethod
    def is_of(user_id: Any) -> sa.ColumnElement[bool]:
        """Return the condition that a case is shown to this customer."""
        return sa.and_(col(CaseRow.user_id) == user_id, col(CaseRow.is_shown), ~col(CaseRow.is_gone))

    @staticmethod
    def is_unread() -> sa.ColumnElement[bool]:
        """Return the condition that the team wrote something that the customer has not seen."""
        # Salesforce's times have whole seconds: what came in the second of the last look may be new.
        seen = sa.func.date_trunc("second", col(CaseRow.seen_at))
        is_new = sa.or_(col(CaseRow.seen_at).is_(None), col(CaseRow.team_at) >= seen)
        return sa.and_(col(CaseRow.team_at).is_not(None), is_new)


class EntryRow(SQLModel, table=True):
    """One entry of a thread as last read from Salesforce, always as part of the whole thread."""

    __tablename__ = "support_entries"

    case_id: UUID = Field(foreign_key="support_cases.id", primary_key=True)
    sf_id: str = Field(primary_key=True, max_length=18)
    user_id: UUID = Field(foreign_key="users.id")
    position: int
    kind: str
    side: str
    author: str = encrypted_column("support_entries.author")
    text: str = encrypted_column("support_entries.text")
    at: datetime = time_column()


class MessageRow(SQLModel, table=True):
    """One message of a customer, sent in the order of `seq` within its case; number 0 opens the case.

    `kind` is text, solved (the customer closes the case) or rating (`context` is the grade, `text` the words).

    `tried_at` is the time of a call whose outcome may not be known yet, `sf_ids` the comments that carry the message.
    `attempt` is empty until the customer had a refused message sent again.
    """

    __tablename__ = "support_messages"
    __table_args__ = (sa.UniqueConstraint("case_id", "seq"),)

    id: UUID = id_column()
    case_id: UUID = Field(foreign_key="support_cases.id", index=True)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    seq: int
    text: str = encrypted_column("support_messages.text")
    context: str = encrypted_column("support_messages.context")
    state: str = "queued"
    refusal: str = ""
    attempt: str = ""
    kind: str = "text"
    reopens: bool = False
    sf_ids: list[Any] = json_column(default_factory=list)
    created_at: datetime = time_column(default_factory=now)
    send_at: datetime = time_column(default_factory=now)
    tried_at: datetime | None = time_column(default=None, nullable=True)
    sent_at: datetime | None = time_column(default=None, nullable=True)

    @classmethod
    async def locked(cls, session: AsyncSession, message_id: UUID) -> "MessageRow | None":
        """Return a message, locked for this transaction."""
        return await session.get(cls, message_id, with_for_update=True)


class StatusLineRow(SQLModel, table=True):
    """One change of a case's status that its thread tells: `what` is working, closed or reopened."""

    __tablename__ = "support_status_lines"

    id: UUID = id_column()
    case_id: UUID = Field(foreign_key="support_cases.id", index=True)
    user_id: UUID = Field(foreign_key="users.id")
    what: str
    at: datetime = time_column(default_factory=now)


class AnswerTimeRow(SQLModel, table=True):
    """How long first answers to a category took in the middle, in seconds of business hours."""

    __tablename__ = "support_answer_times"

    category: str = Field(primary_key=True)
    seconds: int
    samples: int
    at: datetime = time_column(default_factory=now)


class DraftRow(SQLModel, table=True):
    """Text that a customer has not sent: for a case by its id, or for a new one. `version` grows with each save."""

    __tablename__ = "support_drafts"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    key: str = Field(primary_key=True, max_length=40)
    version: int = 1
    content: str = encrypted_column("support_drafts.content")
    updated_at: datetime = time_column(default_factory=now)
