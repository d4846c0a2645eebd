"""The status, kind and billing cycle of a service, in a customer's words."""

from portal_app.domain.catalog.plan import Category
from portal_app.domain.subscriptions.billing_cycle import BillingCycle
from portal_app.domain.subscriptions.service_kind import ServiceKind
from portal_app.domain.subscriptions.subscription import Subscription, SubscriptionStatus
from portal_app.language import _
from portal_app.state.shell.standing import StatusLabel

_SERVICES: dict[SubscriptionStatus, tuple[str, str]] = {
    "pending": ("Being set up", "waiting"),
    "active": ("Active", "ok"),
    "completed": ("Completed", "neutral"),
    "suspended": ("Suspended", "attention"),
    "terminated": ("Ended", "neutral"),
    "cancelled": ("Cancelled", "neutral"),
    "fraud": ("On hold", "problem"),
    "unknown": ("In progress", "waiting"),
}
_CYCLES: dict[BillingCycle, str] = {
    BillingCycle.MONTHLY: "a month",
    BillingCycle.QUARTERLY: "every three months",
    BillingCycle.SEMI_ANNUALLY: "every six months",
    BillingCycle.ANNUALLY: "a year",
    BillingCycle.BIENNIALLY: "every two years",
    BillingCycle.TRIENNIALLY: "every three years",
    BillingCycle.ONE_TIME: "once",
    BillingCycle.FREE: "free of charge",
    BillingCycle.UNKNOWN: "as on your invoices",
}
_KINDS: dict[ServiceKind, str] = {"add-on": "Add-on", "instalment": "Payment in parts", "fee": "One-time fee"}
_CATEGORIES: dict[Category, str] = {"internet": "Internet", "sim": "SIM", "vpn": "VPN", "other": "Other"}


def service_standing(status: SubscriptionStatus) -> StatusLabel:
    """Return the status of a service."""
    word, tone = _SERVICES[status]
    return StatusLabel(_(word), tone)


def cycle_words(cycle: BillingCycle) -> str:
    """Return how often a service is billed."""
    return _(_CYCLES[cycle])


def kind_words(service: Subscription) -> str:
    """Return what a service is: the category of a line, otherwise its kind."""
    return _(_KINDS[service.kind]) if service.kind in _KINDS else _(_CATEGORIES[service.category])
