"""The mail server, as services see it."""

from typing import Protocol


class Mailer(Protocol):
    """Sends one mail. Raises ExternalUnavailable when the server does not take it."""

    async def send(self, *, to: str, subject: str, text: str, html: str, message_id: str) -> None:
        """Hand one message to the mail server."""
