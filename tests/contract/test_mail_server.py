"""Mails at a mail server: sent at least once, under one Message-ID, which the sandbox keeps and shows."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlmodel import col, select

from portal_app.infra.settings import Settings
from portal_app.models.email_outbox import Mail
from tests.support.clients.visitor import running
from tests.support.running.world import world


@pytest.mark.parametrize("sender", ["Portal <no-reply@example.jp>", "plain@mail.example.jp"])
async def test_a_mail_sent_again_after_its_record_was_lost_keeps_its_message_id(sender: str) -> None:
    email, settings = f"{uuid4().hex}@example.jp", world().settings_with(portal_mail_from=sender)
    mail_id = await sent_twice(settings, email)
    async with httpx.AsyncClient(base_url=world().office, params={"to": email}) as office:
        kept, page = (await office.get("/api/mail")).json(), (await office.get("/mail")).text
    domain = sender.rpartition("@")[2].rstrip(">")
    assert [mail["message_id"] for mail in kept] == [f"<{mail_id}@{domain}>"] * 2
    # Above each mail, and among its headers.
    assert page.count(str(mail_id)) == 4 and page.count("sent again") == 1


async def sent_twice(settings: Settings, email: str) -> UUID:
    """Send a mail, and once more as a worker does whose predecessor died before it wrote that down."""
    async with running(settings, "worker") as worker:
        outbox = worker.notifications.email_outbox
        async with worker.database.unit_of_work() as session:
            await outbox.enqueue(session, "password_changed", recipient=email, user_id=None)
            mail_id = (await session.exec(select(Mail.id).order_by(col(Mail.created_at).desc()).limit(1))).one()
        await outbox.send(mail_id)
        async with worker.database.unit_of_work() as session:
            (await session.get_one(Mail, mail_id)).sent_at = None
        await outbox.send(mail_id)
        # A third time nothing is sent: now it is written down.
        await outbox.send(mail_id)
    return mail_id
