"""Mail over SMTP: one message at a time, with an id of ours so that a repeated hand-over is seen as the same mail."""

from email.message import EmailMessage
from email.utils import formatdate, parseaddr

import aiosmtplib

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable
from portal_app.infra.settings import Settings


class SmtpMailer:
    """Hand messages to the mail server of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, *, to: str, subject: str, text: str, html: str, message_id: str) -> None:
        """Send one message.

        Raises ExternalUnavailable when the server is away or does not take it now, and ExternalRejected when it
        refuses the recipient or the message for good (5xx, RFC 5321).
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
            # Without the server's words: they repeat the recipient.
            refused = ExternalRejected if _is_final(error) else ExternalUnavailable
            raise refused(type(error).__name__, vendor="mail") from error


def _is_final(error: Exception) -> bool:
    """Say whether the server will never take this mail; a refused sign-in is ours to mend and not final."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(each.code >= 500 for each in error.recipients)
    return isinstance(error, aiosmtplib.SMTPDataError | aiosmtplib.SMTPRecipientRefused) and error.code >= 500
