"""The services behind the end of a service, joined."""

from dataclasses import dataclass

from portal_app.domain.cancellation import CancellationDesk
from portal_app.domain.ports import BillingGateway
from portal_app.infra.live import LiveUpdates
from portal_app.services.billing import Billing
from portal_app.services.cancellation_sending import CancellationSending
from portal_app.services.cancellations import Asked, Cancellations
from portal_app.services.identity import IdentityBase
from portal_app.services.line_endings import LineEndings
from portal_app.services.subscriptions import Subscriptions

__all__ = ["Asked", "Cancelling", "join_cancelling"]


@dataclass(frozen=True, slots=True)
class Cancelling:
    """What the customer can do, and what the worker does about it."""

    requests: Cancellations
    sending: CancellationSending
    lines: LineEndings


def join_cancelling(
    base: IdentityBase,
    gateway: BillingGateway,
    desk: CancellationDesk,
    *,
    lines: LineEndings,
    live: LiveUpdates,
    billing: Billing,
    subscriptions: Subscriptions,
) -> Cancelling:
    """Join them over what every service of identity stands on, and what knows bills and services."""
    return Cancelling(
        Cancellations(base, subscriptions, live),
        CancellationSending(base, gateway, desk, live=live, billing=billing, subscriptions=subscriptions),
        lines,
    )
