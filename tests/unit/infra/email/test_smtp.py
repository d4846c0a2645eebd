"""Mail over SMTP: with TLS from the first byte or by STARTTLS, and to a server that says nothing."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import ValidationError

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.email.smtp import SmtpMailer
from portal_app.infra.settings import Settings
from sandbox.keys import Keys
from tests.support.running.gate import gate_to
from tests.support.waiting import LONGEST_SECONDS

MAIL = {"to": "hana@example.jp", "subject": "Hello", "text": "Hello", "html": "<p>Hello</p>", "message_id": "m1"}


class Received:
    """Keep the recipients of what arrives, and whether it came encrypted."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bool]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep one message; called by the SMTP server."""
        self.mails.append((envelope.rcpt_tos[0], server.transport.get_extra_info("sslcontext") is not None))
        return "250 OK"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(tmp_path_factory.mktemp("keys"))
    keys.ensure()
    return keys


@asynccontextmanager
async def mail_server(
    received: Received, keys: Keys | None = None, *, from_first_byte: bool = False
) -> AsyncIterator[int]:
    """Run a mail server that speaks TLS if it has keys: from the first byte, or after STARTTLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if keys is not None:
        context.load_cert_chain(keys.server, keys.server_key)
    offered = context if keys is not None and not from_first_byte else None
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(received, tls_context=offered), "127.0.0.1", 0, ssl=context if from_first_byte else None
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("from_first_byte", [True, False])
async def test_mail_goes_out_encrypted_either_way(settings: Settings, keys: Keys, from_first_byte: bool) -> None:
    received = Received()
    async with mail_server(received, keys, from_first_byte=from_first_byte) as port:
        way = {"smtp_tls": from_first_byte, "smtp_start_tls": not from_first_byte, "smtp_ca_file": str(keys.ca)}
        mailer = SmtpMailer(settings.model_copy(update={"smtp_host": "localhost", "smtp_port": port, **way}))
        await mailer.send(**MAIL)
    assert received.mails == [(MAIL["to"], True)]


async def test_a_certificate_that_nobody_knows_is_refused(settings: Settings, keys: Keys) -> None:
    received = Received()
    async with mail_server(received, keys, from_first_byte=True) as port:
        way = {"smtp_host": "localhost", "smtp_port": port, "smtp_tls": True}
        with pytest.raises(ExternalUnavailable):
            await SmtpMailer(settings.model_copy(update=way)).send(**MAIL)
    assert received.mails == []


def test_both_kinds_of_tls_at_once_are_refused() -> None:
    with pytest.raises(ValidationError, match="exclude each other"):
        Settings(portal_env="development", smtp_tls=True, smtp_start_tls=True)


async def test_a_server_that_says_nothing_is_unavailable(settings: Settings) -> None:
    with gate_to("//127.0.0.1:1") as (gate, _):
        gate.fall_silent(also_to_new=True)
        silent = {"smtp_host": "127.0.0.1", "smtp_port": gate.port, "smtp_timeout": 0.3}
        async with asyncio.timeout(LONGEST_SECONDS):
            with pytest.raises(ExternalUnavailable):
                await SmtpMailer(settings.model_copy(update=silent)).send(**MAIL)
