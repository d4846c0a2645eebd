"""The mail server, as services see it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MailContext:
    """What a mail belongs to. `references` are Message-IDs of earlier mails, the last one being answered: those of ours
    without our domain, others in angle brackets. Empty: it belongs to nothing, is not answered, cannot be stopped.
    """

    references: tuple[str, ...] = ()
    reply_to: str = ""
    unsubscribe_url: str = ""
    language: str = ""


NO_CONTEXT = MailContext()


class Mailer(Protocol):
    """Sends one mail. Raises ExternalUnavailable when the server does not take it."""

    async def send(
        self, *, to: str, subject: str, text: str, html: str, message_id: str, context: MailContext = NO_CONTEXT
    ) -> None:
        """Hand one message to the mail server."""
