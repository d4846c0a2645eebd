"""The email outbox: emails are stored with the change that causes them and sent by a workflow, each at least once."""

import json
from uuid import UUID

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.notifications.preference import topic_of
from portal_app.domain.ports.mailer import MailContext, Mailer
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.email.templates import EmailTemplates
from portal_app.infra.security.unsubscribe_links import UnsubscribeLinks
from portal_app.language import DEFAULT
from portal_app.models.email_outbox import Mail
from portal_app.models.user import User
from portal_app.services.notifications.preferences import is_wanted

_log = structlog.get_logger(__name__)


class EmailOutbox:
    """Stores emails in the caller's transaction; the worker renders and sends them."""

    def __init__(
        self,
        database: Database,
        queue: DurableQueue,
        mailer: Mailer,
        *,
        templates: EmailTemplates,
        links: UnsubscribeLinks,
    ) -> None:
        self._links = links
        self._database = database
        self._queue = queue
        self._mailer = mailer
        self._templates = templates

    async def enqueue(
        self,
        session: AsyncSession,
        template: str,
        *,
        recipient: str,
        user_id: UUID | None,
        language: str = "",
        **content: str,
    ) -> UUID | None:
        """Store an email and enqueue the workflow that sends it, in the caller's transaction, and return its id.

        `content` holds the variables of the template, with `reply_to` and `references` (Message-IDs, separated by
        spaces) where the mail has them. Without a `language` the user's language at the time of sending is used.
        Nothing is stored if the customer turned this kind of email off.
        """
        if not await is_wanted(session, user_id, template, "mail"):
            return None
        mail = Mail(
            user_id=user_id, recipient=recipient, template=template, content=json.dumps(content), language=language
        )
        session.add(mail)
        await session.flush()
        await self._queue.enqueue(session, "send_mail", f"mail-{mail.id}", str(mail.id))
        return mail.id

    async def send(self, mail_id: UUID) -> None:
        """Render and send a stored email, unless it is known that it was sent already.

        A process that ends between the server's answer and its record sends it a second time, under the same
        Message-ID: mailboxes that look at it show it once.

        Raises ExternalUnavailable, and ExternalRejected if the server rejects it permanently.
        """
        async with self._database.unit_of_work() as session:
            mail = await session.get(Mail, mail_id)
            if mail is None or mail.sent_at is not None:
                return
            user = await session.get(User, mail.user_id) if mail.user_id and not mail.language else None
        # Mails without a recipient are stored for unknown accounts, so that known and unknown ones cause equal work.
        if mail.recipient:
            language = mail.language or (user.language if user else DEFAULT)
            content: dict[str, str] = json.loads(mail.content)
            email = self._templates.write(mail.template, language, content)
            await self._mailer.send(
                to=mail.recipient,
                subject=email.subject,
                text=email.text,
                html=email.html,
                message_id=str(mail.id),
                context=self._context_of(mail, content, language),
            )
            _log.info("mail.sent", mail=str(mail_id), template=mail.template)
        await self._note_sent(mail_id)

    def _context_of(self, mail: Mail, content: dict[str, str], language: str) -> MailContext:
        """Return what a mail belongs to. Only mails about support can be stopped by a link: others are asked for."""
        topic = topic_of(mail.template)
        can_stop = topic == "support" and mail.user_id is not None
        return MailContext(
            references=tuple(content.get("references", "").split()),
            reply_to=content.get("reply_to", ""),
            unsubscribe_url=self._links.url(mail.user_id, topic, language)
            if can_stop and mail.user_id and topic
            else "",
            language=language,
        )

    async def _note_sent(self, mail_id: UUID) -> None:
        async with self._database.unit_of_work() as session:
            if (row := await session.get(Mail, mail_id)) is not None:
                row.sent_at = now()
