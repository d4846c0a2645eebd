"""The status and billing cycle of a service, in a customer's words."""

from portal_app.domain.subscriptions.subscription import SubscriptionStatus
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
_CYCLES = {
    "monthly": "a month",
    "quarterly": "every three months",
    "semi-annually": "every six months",
    "annually": "a year",
    "biennially": "every two years",
    "triennially": "every three years",
    "one time": "once",
    "onetime": "once",
    "free account": "free of charge",
}


def service_standing(status: SubscriptionStatus) -> StatusLabel:
    """Return the status of a service."""
    word, tone = _SERVICES[status]
    return StatusLabel(_(word), tone)


def cycle_words(cycle: str) -> str:
    """Say how often a service is billed, from WHMCS's word for it."""
    words = _CYCLES.get(cycle.lower())
    return _(words) if words else cycle.lower()
