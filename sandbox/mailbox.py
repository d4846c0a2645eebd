"""The mail sink: an SMTP server that delivers nothing and keeps every message for people and tests to read."""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.clock import Clock
from sandbox.faults import Faults, VendorBroken, VendorDown, VendorFailed
from sandbox.store import Document, Store


class Mailbox:
    """Receive mail into the store. With the fault "down" a connection is refused with 421."""

    def __init__(self, store: Store, clock: Clock, faults: Faults) -> None:
        self._store = store
        self._clock = clock
        self._faults = faults
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port."""
        self._server = await asyncio.get_running_loop().create_server(self._door, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()

    def messages(self, to: str | None = None) -> list[Document]:
        """Return the messages, oldest first, of all recipients or of one address."""
        found = self._store.all("mail")
        return [row for row in found if to is None or to.lower() in (address.lower() for address in row["to"])]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep one message; called by the SMTP server."""
        try:
            await self._faults.before("mail", "DATA")
        except (VendorDown, VendorFailed, VendorBroken):
            return "451 Requested action aborted: error in processing"
        self._keep(envelope)
        if self._faults.loses_answer("mail", "DATA"):
            cast("asyncio.WriteTransport", server.transport).abort()
        return "250 Message accepted for delivery"

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        message = message_from_bytes(raw, policy=default)
        number = self._store.next_number("mail")
        head = {"id": number, "from": envelope.mail_from, "to": list(envelope.rcpt_tos)}
        head["received_at"] = self._clock.now().isoformat()
        head["message_id"] = str(message["message-id"] or "")
        head["subject"] = str(message["subject"] or "")
        head["headers"] = [[name, str(value)] for name, value in message.items()]
        self._store.put("mail", number, head | {"text": _part(message, "plain"), "html": _part(message, "html")})

    def _door(self) -> asyncio.Protocol:
        if self._faults.settings_of("mail").down:
            return _Closed()
        return SMTP(self, hostname="sandbox", enable_SMTPUTF8=True, loop=asyncio.get_running_loop())


class _Closed(asyncio.Protocol):
    """A server that is going down: it says so and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer 421 and close."""
        writer = cast("asyncio.WriteTransport", transport)
        writer.write(b"421 sandbox Service not available, closing transmission channel\r\n")
        writer.close()


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""
