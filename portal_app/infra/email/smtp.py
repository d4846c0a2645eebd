"""Sends emails over SMTP, with a Message-ID of the portal so that a repeated delivery can be recognised."""

from email.message import EmailMessage
from email.utils import formatdate, parseaddr

import aiosmtplib

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable
from portal_app.infra.settings import Settings


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
            await aiosmtplib.send(
                message,
                hostname=self._settings.smtp_host,
                port=self._settings.smtp_port,
                username=self._settings.smtp_username or None,
                password=self._settings.smtp_password.get_secret_value() or None,
                start_tls=True if self._settings.smtp_start_tls else None,
                timeout=10,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            # The server's text contains the recipient, so it must not be logged.
            refused = ExternalRejected if _is_final(error) else ExternalUnavailable
            raise refused(type(error).__name__, vendor="mail") from error


def _is_final(error: Exception) -> bool:
    """Return whether the rejection is permanent; a rejected SMTP login is an operator's problem and is retried."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(each.code >= 500 for each in error.recipients)
    return isinstance(error, aiosmtplib.SMTPDataError | aiosmtplib.SMTPRecipientRefused) and error.code >= 500
