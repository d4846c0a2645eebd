"""What a customer may choose to be told, where, and what is told in any case."""

from dataclasses import dataclass
from typing import Literal, get_args

from portal_app.domain.errors import InvalidInput

Topic = Literal["orders", "services", "billing", "cards", "security"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
Channel = Literal["portal", "mail"]
# What protects an account or ends a service is mailed in any case; nothing of security is a notice.
MANDATORY: frozenset[tuple[Topic, Channel]] = frozenset(
    {("security", "portal"), ("security", "mail"), ("services", "mail")}
)
# Everything that is not named here, what needs the customer among it, is told in any case.
_TOPICS: dict[str, Topic] = {
    "order_received": "orders",
    "order_active": "orders",
    "order_not_accepted": "orders",
    "cancellation_scheduled": "services",
    "cancellation_withdrawn": "services",
    "cancellation_ended": "services",
    "cancellation_refused": "services",
    "invoice_due": "billing",
    "invoice_overdue": "billing",
    "card_expires": "cards",
}


@dataclass(frozen=True, slots=True)
class TopicPreference:
    """What is told of one topic."""

    topic: Topic
    portal: bool = True
    mail: bool = True

    def changed(self, *, portal: bool | None = None, mail: bool | None = None) -> "TopicPreference":
        """Return it with some ways changed. Raises InvalidInput for what is told in any case."""
        ways: tuple[tuple[Channel, bool | None], ...] = (("portal", portal), ("mail", mail))
        for way, wanted in ways:
            if wanted is False and (self.topic, way) in MANDATORY:
                raise InvalidInput({self.topic: "This cannot be turned off: it protects you."})
        return TopicPreference(
            self.topic,
            portal=self.portal if portal is None else portal,
            mail=self.mail if mail is None else mail,
        )


def topic_of(kind: str) -> Topic | None:
    """Return the topic of a notice or mail; None for what is told in any case."""
    return _TOPICS.get(kind)


def parse_topic(text: str) -> Topic:
    """Read a topic's name. Raises InvalidInput."""
    for topic in TOPICS:
        if topic == text:
            return topic
    raise InvalidInput({"topic": "Choose one of the topics."})
