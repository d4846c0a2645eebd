"""Check of the mail server: it answers with the TLS, the login and the sender of the settings."""

import ssl

import aiosmtplib

from portal_app.infra.checks.check import Check, Problem, Unfit
from portal_app.infra.email.smtp import SmtpMailer
from portal_app.infra.settings import Settings


def mail_checks(settings: Settings) -> list[Check]:
    """Return the check of the mail server. It sends no mail."""

    async def mail() -> str:
        try:
            await SmtpMailer(settings).try_sender()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unfit(problem_of(settings, error)) from error
        return f"{settings.smtp_host}:{settings.smtp_port}"

    # A handshake takes several answers.
    return [Check("mail.server", "Mail server", mail, seconds=3 * settings.smtp_timeout)]


def problem_of(settings: Settings, error: Exception) -> Problem:
    """Return what is wrong, by the error of a first try."""
    place, text = f"{settings.smtp_host}:{settings.smtp_port}", str(error)
    if isinstance(error, ssl.SSLError) or "certificate" in text.lower() or "ssl" in text.lower():
        is_trust = "certificate verify failed" in text.lower()
        wrong = f"TLS with the mail server {place} fails: {text[:150]}."
        do = "Name its CA in SMTP_CA_FILE, or use the name of its certificate in SMTP_HOST." if is_trust else ""
        do = do or "Port 465 needs SMTP_TLS=true, port 587 SMTP_START_TLS=true, port 25 neither."
        return Problem(wrong, do, "SMTP_CA_FILE" if is_trust else "SMTP_TLS")
    if isinstance(error, aiosmtplib.SMTPAuthenticationError) or "auth" in text.lower():
        wrong = f"The mail server {place} does not let {settings.smtp_username} log in: {text[:150]}."
        return Problem(wrong, "Correct SMTP_USERNAME and SMTP_PASSWORD.", "SMTP_PASSWORD")
    if "starttls" in text.lower():
        wrong = f"The mail server {place} offers no STARTTLS, which SMTP_START_TLS insists on."
        return Problem(wrong, "Use its port with STARTTLS (587), or SMTP_TLS=true with port 465.", "SMTP_START_TLS")
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        wrong = f"The mail server {place} refuses the sender {settings.portal_mail_from}: {text[:150]}."
        return Problem(wrong, "Use a sender that it accepts from this machine.", "PORTAL_MAIL_FROM")
    wrong = f"The mail server {place} does not answer: {text[:150] or type(error).__name__}."
    return Problem(wrong, "Start it, open the way to it, or correct SMTP_HOST and SMTP_PORT.", "SMTP_HOST")
