"""Builds the services for emails, notices and notification preferences."""

from dataclasses import dataclass

from portal_app.infra.security.unsubscribe_links import UnsubscribeLinks
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.notifications.notices import Notices
from portal_app.services.notifications.preferences import NotificationPreferences
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class NotificationServices:
    """Emails, notices inside the portal, and preferences."""

    email_outbox: EmailOutbox
    notices: Notices
    preferences: NotificationPreferences
    unsubscribe_links: UnsubscribeLinks


def build_notifications(base: Base) -> NotificationServices:
    """Build the services over the database."""
    return NotificationServices(
        email_outbox=base.email_outbox,
        notices=Notices(base.database, base.live),
        preferences=NotificationPreferences(base.database),
        unsubscribe_links=base.unsubscribe_links,
    )
