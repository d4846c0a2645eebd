"""Sending one mail: at least once, under one Message-ID, however long the mail server is away."""

from uuid import UUID

from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, step


@durable(name="send_mail")
async def send_mail(mail_id: str) -> str:
    """Send a mail that was written down."""
    outcome = await step("send", lambda: portal().notifications.email_outbox.send(UUID(mail_id)))
    return outcome["state"]
