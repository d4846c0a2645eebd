"""Sends emails over SMTP, with a Message-ID of the portal so that a repeated delivery can be recognised."""

import asyncio
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any

import aiosmtplib

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable
from portal_app.infra.settings import Settings

# A whole delivery may take so many times as long as one answer.
_MOST_ANSWERS = 6


class SmtpMailer:
    """Implements `Mailer` with the mail server of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, *, to: str, subject: str, text: str, html: str, message_id: str) -> None:
        """Send one message.

        Raises ExternalUnavailable if the server is unavailable or rejects the message temporarily, and
        ExternalRejected if it rejects the recipient or message permanently (5xx, RFC 5321).
        """
        message = EmailMessage()
        message["From"] = self._settings.portal_mail_from
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{message_id}@{parseaddr(self._settings.portal_mail_from)[1].rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        try:
            async with asyncio.timeout(self._settings.smtp_timeout * _MOST_ANSWERS):
                await aiosmtplib.send(message, **self._connection())
        except (aiosmtplib.SMTPException, OSError) as error:
            # The server's text contains the recipient, so it must not be logged.
            refused = ExternalRejected if _is_final(error) else ExternalUnavailable
            raise refused(type(error).__name__, vendor="mail") from error

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
