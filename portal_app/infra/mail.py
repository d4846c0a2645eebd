"""Mail over SMTP: one message at a time, with an id of ours so that a repeated hand-over is seen as the same mail."""

from email.message import EmailMessage

import aiosmtplib

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.settings import Settings


class SmtpMailer:
    """Hand messages to the mail server of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, *, to: str, subject: str, text: str, html: str, message_id: str) -> None:
        """Send one message. Raises ExternalUnavailable when the server is away or does not take it now."""
        message = EmailMessage()
        message["From"] = self._settings.portal_mail_from
        message["To"] = to
        message["Subject"] = subject
        message["Message-ID"] = f"<{message_id}@portal>"
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
            raise ExternalUnavailable(type(error).__name__, vendor="mail") from error
