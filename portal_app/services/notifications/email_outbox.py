"""Mails: written down with their cause, made and sent later by durable work, each once."""

import json
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.ports.mailer import Mailer
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.email.templates import EmailTemplates
from portal_app.language import DEFAULT
from portal_app.models.email_outbox import Mail
from portal_app.models.user import User
from portal_app.services.notifications.preferences import is_wanted


class EmailOutbox:
    """Write mails down in the caller's transaction; send them from the worker."""

    def __init__(self, database: Database, queue: DurableQueue, mailer: Mailer, letters: EmailTemplates) -> None:
        self._database = database
        self._queue = queue
        self._mailer = mailer
        self._letters = letters

    async def mail(
        self,
        session: AsyncSession,
        occasion: str,
        *,
        recipient: str,
        user_id: UUID | None,
        language: str = "",
        **content: str,
    ) -> None:
        """Write one mail down and enqueue its sending; both happen only if the transaction commits.

        Without a `language` it is written in the customer's own, as it is when the mail goes out. What a customer
        turned off is not written.
        """
        if not await is_wanted(session, user_id, occasion, "mail"):
            return
        mail = Mail(
            user_id=user_id, recipient=recipient, occasion=occasion, content=json.dumps(content), language=language
        )
        session.add(mail)
        await session.flush()
        await self._queue.enqueue(session, "send_mail", f"mail-{mail.id}", str(mail.id))

    async def send(self, mail_id: UUID) -> None:
        """Send a mail that was written down; one that was sent is left alone.

        Raises ExternalUnavailable, and ExternalRejected where the server will never take it.
        """
        async with self._database.unit_of_work() as session:
            mail = await session.get(Mail, mail_id)
            if mail is None or mail.sent_at is not None:
                return
            user = await session.get(User, mail.user_id) if mail.user_id and not mail.language else None
        # A mail to nobody is written where an account is unknown, so that known and unknown are the same work.
        if mail.recipient:
            language = mail.language or (user.language if user else DEFAULT)
            letter = self._letters.write(mail.occasion, language, json.loads(mail.content))
            await self._mailer.send(
                to=mail.recipient, subject=letter.subject, text=letter.text, html=letter.html, message_id=str(mail.id)
            )
        async with self._database.unit_of_work() as session:
            if (row := await session.get(Mail, mail_id)) is not None:
                row.sent_at = now()
