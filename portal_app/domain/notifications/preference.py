"""Notification preferences: which topics a customer receives by which channel, and which cannot be turned off."""

from dataclasses import dataclass
from typing import Literal, get_args

from portal_app.domain.errors import InvalidInput

Topic = Literal["orders", "services", "billing", "cards", "support", "security"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
Channel = Literal["portal", "mail"]
# These cannot be turned off: they protect the account, or announce the end of a service.
MANDATORY: frozenset[tuple[Topic, Channel]] = frozenset(
    {("security", "portal"), ("security", "mail"), ("services", "mail")}
)
# Kinds without a topic are always sent, for example those that ask the customer to act.
_TOPICS: dict[str, Topic] = {
    "order_received": "orders",
    "order_active": "orders",
    "order_not_accepted": "orders",
    "cancellation_scheduled": "services",
    "cancellation_withdrawn": "services",
    "cancellation_ended": "services",
    "cancellation_refused": "services",
    "line_change_failed": "services",
    "line_changed": "services",
    "plan_change_held": "services",
    "plan_change_withdrawn": "services",
    "plan_changed": "services",
    "top_up_done": "services",
    "line_alert_left": "services",
    "line_alert_forecast": "services",
    "line_alert_spend": "billing",
    "auto_top_up_done": "services",
    "invoice_due": "billing",
    "invoice_overdue": "billing",
    "card_expires": "cards",
    "case_answered": "support",
}


@dataclass(frozen=True, slots=True)
class TopicPreference:
    """The channels a customer chose for one topic."""

    topic: Topic
    portal: bool = True
    mail: bool = True

    def changed(self, *, portal: bool | None = None, mail: bool | None = None) -> "TopicPreference":
        """Return the preference with changes (None: unchanged). Raises InvalidInput for a mandatory channel."""
        changes: tuple[tuple[Channel, bool | None], ...] = (("portal", portal), ("mail", mail))
        for channel, wanted in changes:
            if wanted is False and (self.topic, channel) in MANDATORY:
                raise InvalidInput({self.topic: "This cannot be turned off: it protects you."})
        return TopicPreference(
            self.topic,
            portal=self.portal if portal is None else portal,
            mail=self.mail if mail is None else mail,
        )


def topic_of(kind: str) -> Topic | None:
    """Return the topic of a kind of notice or mail; None for kinds that are always sent."""
    return _TOPICS.get(kind)


def parse_topic(text: str) -> Topic:
    """Parse the name of a topic. Raises InvalidInput."""
    for topic in TOPICS:
        if topic == text:
            return topic
    raise InvalidInput({"topic": "Choose one of the topics."})
