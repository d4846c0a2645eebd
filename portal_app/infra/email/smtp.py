"""Sends emails over SMTP, with a Message-ID of the portal so that a repeated delivery can be recognised."""

import asyncio
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any

import aiosmtplib

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable
from portal_app.domain.ports.mailer import NO_CONTEXT, MailContext
from portal_app.infra.settings import Settings

# A whole delivery may take so many times as long as one answer.
_MOST_ANSWERS = 6


class SmtpMailer:
    """Implements `Mailer` with the mail server of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(
        self, *, to: str, subject: str, text: str, html: str, message_id: str, context: MailContext = NO_CONTEXT
    ) -> None:
        """Send one message.

        Raises ExternalUnavailable if the server is unavailable or rejects the message temporarily, and
        ExternalRejected if it rejects the recipient or message permanently (5xx, RFC 5321).
        """
        message = EmailMessage()
        message["From"] = self._settings.portal_mail_from
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = self._message_id(message_id)
        message["Auto-Submitted"] = "auto-generated"
        # Exchange answers no mail that asks for it in its own way (MS-OXCMAIL).
        message["X-Auto-Response-Suppress"] = "All"
        self._add_context(message, context)
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        try:
            async with asyncio.timeout(self._settings.smtp_timeout * _MOST_ANSWERS):
                await aiosmtplib.send(message, **self._connection())
        except (aiosmtplib.SMTPException, OSError) as error:
            # The server's text contains the recipient, so it must not be logged.
            refused = ExternalRejected if _is_final(error) else ExternalUnavailable
            raise refused(type(error).__name__, vendor="mail") from error

    async def try_sender(self) -> None:
        """Connect, log in and name our sender, as for a mail, then leave. Raises aiosmtplib's errors and OSError."""
        async with aiosmtplib.SMTP(**self._connection()) as server:
            await server.mail(parseaddr(self._settings.portal_mail_from)[1])
            await server.rset()

    def _add_context(self, message: EmailMessage, context: MailContext) -> None:
        references = [self._message_id(each) for each in context.references]
        headers = {
            "In-Reply-To": references[-1] if references else "",
            "References": " ".join(references),
            "Reply-To": context.reply_to,
            "Content-Language": context.language,
            "List-Unsubscribe": f"<{context.unsubscribe_url}>" if context.unsubscribe_url else "",
            # RFC 8058: the mail program may offer a button that posts to that address.
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" if context.unsubscribe_url else "",
        }
        for name, value in headers.items():
            if value:
                message[name] = value

    def _message_id(self, given: str) -> str:
        """Return a Message-ID: ours get our domain, others are complete."""
        if given.startswith("<"):
            return given
        return f"<{given}@{parseaddr(self._settings.portal_mail_from)[1].rpartition('@')[2]}>"

    def _connection(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "hostname": settings.smtp_host,
            "port": settings.smtp_port,
            "username": settings.smtp_username or None,
            "password": settings.smtp_password.get_secret_value() or None,
            "use_tls": settings.smtp_tls,
            # None: where the server offers it.
            "start_tls": False if settings.smtp_tls else (settings.smtp_start_tls or None),
            "cert_bundle": settings.smtp_ca_file or None,
            "timeout": settings.smtp_timeout,
        }


def _is_final(error: Exception) -> bool:
    """Return whether the rejection is permanent; a rejected SMTP login is an operator's problem and is retried."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(each.code >= 500 for each in error.recipients)
    return isinstance(error, aiosmtplib.SMTPDataError | aiosmtplib.SMTPRecipientRefused) and error.code >= 500
