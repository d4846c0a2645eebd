"""Links in mails that turn a topic's mails off without a session: signed, and good for that alone."""

import base64
from uuid import UUID

from portal_app.domain.errors import NotFound
from portal_app.domain.notifications.preference import Topic, parse_topic
from portal_app.infra.security.tokens import RandomTokens

_PURPOSE = "unsubscribe"
_SIGNATURE, _ID = 16, 16


class UnsubscribeLinks:
    """Make and read the tokens of such links. They do not end: a mail may be read years later."""

    def __init__(self, tokens: RandomTokens, portal_url: str) -> None:
        self._tokens = tokens
        self._portal_url = portal_url

    def url(self, user_id: UUID, topic: Topic, language: str) -> str:
        """Return a customer's link for one topic; its page speaks the language of the mail."""
        return f"{self._portal_url}/unsubscribe/{self.token(user_id, topic)}?lang={language}"

    def token(self, user_id: UUID, topic: Topic) -> str:
        """Return the token of a customer's link for one topic."""
        content = user_id.bytes + topic.encode()
        return base64.urlsafe_b64encode(self._signature(content) + content).decode().rstrip("=")

    def read(self, token: str) -> tuple[UUID, Topic]:
        """Return customer and topic of a token. Raises NotFound for one that was not made here."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError as error:
            raise NotFound("malformed link") from error
        signature, content = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if len(content) <= _ID or not self._tokens.equals(signature, self._signature(content)):
            raise NotFound("forged link")
        return UUID(bytes=content[:_ID]), parse_topic(content[_ID:].decode())

    def _signature(self, content: bytes) -> bytes:
        return self._tokens.hash(content.hex(), _PURPOSE)[:_SIGNATURE]
