"""Builds what ends services, and what tells customers of their days."""

from dataclasses import dataclass

from portal_app.services.billing.reminders import Reminders
from portal_app.services.dashboard.calendar_feed import Calendar
from portal_app.services.identity.context import ServiceContext
from portal_app.services.notifications.preferences import NotificationPreferences
from portal_app.services.sim.line_termination import LineTermination
from portal_app.services.subscriptions.cancellation_delivery import CancellationDelivery
from portal_app.services.subscriptions.cancellations import Cancellations
from portal_app.wiring.base import Base
from portal_app.wiring.billing import BillingServices


@dataclass(frozen=True, slots=True)
class Cancelling:
    """What the customer can do to end a service, and what the worker does about it."""

    requests: Cancellations
    sending: CancellationDelivery
    lines: LineTermination


@dataclass(frozen=True, slots=True)
class SubscriptionServices:
    """The end of services, and the days of services and bills."""

    cancelling: Cancelling
    calendar: Calendar
    reminders: Reminders
    notification_choices: NotificationPreferences


def build_subscriptions(base: Base, identity: ServiceContext, bills: BillingServices) -> SubscriptionServices:
    """Join them over what knows bills and services."""
    vendors, live, billing, subscriptions = base.vendors, base.live, bills.billing, bills.subscriptions
    requests = Cancellations(identity, subscriptions, live)
    sending = CancellationDelivery(
        identity, vendors.billing, vendors.cancellations, live=live, billing=billing, subscriptions=subscriptions
    )
    lines = LineTermination(base.database, vendors.sims, vendors.crm)
    return SubscriptionServices(
        cancelling=Cancelling(requests, sending, lines),
        calendar=Calendar(identity, cancellations=requests, billing=billing, subscriptions=subscriptions),
        reminders=Reminders(identity, bills.payments, live),
        notification_choices=NotificationPreferences(base.database),
    )
