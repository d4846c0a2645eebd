"""Domain words as a customer reads them: money with tax, where an order, a service or an invoice stands."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal_app.domain.invoice import Invoice
from portal_app.domain.money import Money
from portal_app.domain.order import STAGE_WORDS, OrderLine, OrderStage
from portal_app.domain.plan import CatalogItem
from portal_app.domain.sim import SimState
from portal_app.domain.subscription import SubscriptionStatus
from portal_app.language import _
from portal_app.wiring import portal


@dataclass(frozen=True)
class Standing:
    """Where something stands: its word and the tone of its shape and colour."""

    word: str
    tone: str


@dataclass(frozen=True)
class LineRow:
    """One thing bought, its price without tax."""

    name: str
    price: str
    period: str


_STAGE_TONES: dict[OrderStage, str] = {
    "received": "waiting",
    "in_review": "waiting",
    "being_set_up": "waiting",
    "needs_attention": "attention",
    "active": "ok",
    "not_accepted": "problem",
    "cancelled": "neutral",
    "in_progress": "waiting",
}
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
_LINES: dict[SimState, tuple[str, str]] = {
    "waiting": ("Being opened", "waiting"),
    "active": ("Active", "ok"),
    "suspended": ("Suspended", "attention"),
    "temporary": ("Temporary", "waiting"),
    "obsolete": ("Ended", "neutral"),
    "unknown": ("Not known at the moment", "neutral"),
}
_INVOICES = {
    "unpaid": ("Due", "attention"),
    "paid": ("Paid", "ok"),
    "cancelled": ("Cancelled", "neutral"),
    "refunded": ("Refunded", "neutral"),
    "collections": ("In collection", "problem"),
    "payment_pending": ("Payment on its way", "waiting"),
    "draft": ("Draft", "neutral"),
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


def line_row(line: OrderLine | CatalogItem) -> LineRow:
    """Return one thing bought, as checkout and order show it."""
    return LineRow(line.name, str(line.price), _("a month") if line.cycle == "monthly" else _("once"))


def taxed(amount: Money) -> Money:
    """Return an amount with consumption tax."""
    return amount.with_tax(Decimal(portal().settings.tax_percent))


def with_tax(amount: Money) -> str:
    """Say what an amount is with tax."""
    return _("{amount} with tax").format(amount=taxed(amount))


def order_standing(stage: OrderStage) -> Standing:
    """Say where an order stands."""
    return Standing(_(STAGE_WORDS[stage]), _STAGE_TONES[stage])


def service_standing(status: SubscriptionStatus) -> Standing:
    """Say where a service stands."""
    word, tone = _SERVICES[status]
    return Standing(_(word), tone)


def line_standing(state: SimState) -> Standing:
    """Say where a SIM line stands at the carrier."""
    word, tone = _LINES[state]
    return Standing(_(word), tone)


def invoice_standing(invoice: Invoice, today: date) -> Standing:
    """Say whether an invoice is due, overdue, paid or done with."""
    if invoice.is_overdue(today):
        return Standing(_("Overdue"), "problem")
    word, tone = _INVOICES[invoice.status]
    return Standing(_(word), tone)


def cycle_words(cycle: str) -> str:
    """Say how often a service is billed, from WHMCS's word for it."""
    words = _CYCLES.get(cycle.lower())
    return _(words) if words else cycle.lower()
