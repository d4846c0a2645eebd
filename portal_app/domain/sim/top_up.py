"""Data that a customer buys for a SIM line: amounts, price, the states of one purchase, and how they follow."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from portal_app.domain.billing.charge import ChargedInvoice
from portal_app.domain.errors import InvalidInput
from portal_app.domain.money import Money

LEAST_GB, MOST_GB = 1, 50
MB_IN_GB = 1024
# How often the carrier is asked to add the data: a second time only where the first does not show in its history.
MOST_SENDS = 2

TopUpState = Literal[
    "asked", "checked", "invoiced", "compared", "charging", "confirm", "late", "asking", "unclear", "stopping", "paid",
    "owed", "done", "stopped", "with_team",
]  # fmt: skip
# Why a purchase was stopped, or is with our team.
TopUpReason = Literal[
    "", "no_card", "line_not_active", "refused", "price_changed", "declined", "too_late", "invoice_gone", "unclear",
    "not_delivered",
]  # fmt: skip
ENDED: frozenset[TopUpState] = frozenset({"done", "stopped", "with_team"})
# Unpaid, or not known to be paid: no second purchase for the line before that is settled.
UNSETTLED: tuple[TopUpState, ...] = (
    "asked", "checked", "invoiced", "compared", "charging", "confirm", "asking", "unclear", "stopping",
)  # fmt: skip
# What customers are told: which of six a state is.
Standing = Literal["under_way", "confirm", "checking", "paid", "done", "stopped", "with_team"]
_STANDINGS: dict[TopUpState, Standing] = {
    "asked": "under_way", "checked": "under_way", "invoiced": "under_way", "compared": "under_way",
    "charging": "checking", "late": "checking", "asking": "checking", "unclear": "checking", "confirm": "confirm",
    "stopping": "checking", "paid": "paid", "owed": "paid", "done": "done", "stopped": "stopped",
    "with_team": "with_team",
}  # fmt: skip
_WRONG = "Choose {least} to {most} GB, in whole GB."
# After a refusal that is no outage: where each state leads.
_AFTER_REFUSAL: dict[TopUpState, TopUpState] = {
    "asked": "stopping", "checked": "stopping", "invoiced": "stopping", "compared": "stopping", "charging": "asking",
    "confirm": "asking", "late": "stopped", "unclear": "unclear", "stopping": "asking", "asking": "unclear",
    "paid": "owed", "owed": "with_team",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TopUpOrder:
    """One purchase. `total` is the price with tax that the customer agreed to."""

    id: UUID
    service_id: int
    gigabytes: int
    total: Money
    state: TopUpState
    reason: TopUpReason
    invoice_id: int | None
    asked_at: datetime
    invoiced_at: datetime | None
    paid_at: datetime | None
    delivered_at: datetime | None
    ended_at: datetime | None
    confirm_until: datetime | None
    is_automatic: bool = False

    @property
    def standing(self) -> Standing:
        """What customers are told of it."""
        return _STANDINGS[self.state]

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class PaymentTimes:
    """The moments that decide how long a payment is waited for."""

    tried_at: datetime | None
    confirm_until: datetime | None
    give_up_at: datetime
    unknown: timedelta


def parse_gigabytes(value: object) -> int:
    """Return an amount of whole GB; full-width digits are read too. Raises InvalidInput."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    is_number = text.isdecimal() and len(text) <= 3
    text = unicodedata.normalize("NFKC", text)
    if not is_number or not LEAST_GB <= int(text) <= MOST_GB:
        raise InvalidInput({"gigabytes": _WRONG.format(least=LEAST_GB, most=MOST_GB)})
    return int(text)


def top_up_amount(gigabytes: int, price: Money) -> Money:
    """Return what an amount costs without tax, by the price of 1 GB."""
    return price * gigabytes


def top_up_total(gigabytes: int, price: Money, *, tax_percent: Decimal) -> Money:
    """Return what an amount costs with tax."""
    return top_up_amount(gigabytes, price).with_tax(tax_percent)


def after_refusal(state: TopUpState) -> TopUpState:
    """Return where a step leads that was refused, or that was not possible for a day."""
    return _AFTER_REFUSAL[state]


def after_compare(found: ChargedInvoice, total: Money) -> tuple[TopUpState, TopUpReason]:
    """Say what follows for a new invoice: charged only where its price is the one the customer agreed to."""
    if found.price != total:
        # Credit may have paid it by itself: then our team sees to the difference.
        return ("asking" if found.is_paid else "stopping"), "price_changed"
    if found.is_paid:
        return "paid", ""
    if found.invoice.status == "payment_pending":
        return "charging", ""
    return ("compared", "") if found.invoice.status in ("unpaid", "collections") else ("stopping", "invoice_gone")


def after_reading(
    state: TopUpState, found: ChargedInvoice, times: PaymentTimes, at: datetime
) -> tuple[TopUpState, TopUpReason]:
    """Say what follows from an invoice that was read while its payment is waited for."""
    if found.is_paid:
        return "paid", ""
    status = found.invoice.status
    if status not in ("unpaid", "collections", "payment_pending"):
        return "stopped", "invoice_gone"
    if state == "late":
        return "stopped", "declined"
    if state == "confirm" and status != "payment_pending":
        is_over = times.confirm_until is not None and at >= times.confirm_until
        return ("stopping" if is_over else "confirm"), "declined"
    if state == "unclear":
        # WHMCS would charge an unpaid invoice by itself on its day: without data, perhaps a second time.
        return ("stopping" if status != "payment_pending" and at >= times.give_up_at else "unclear"), "unclear"
    since = times.tried_at or at
    return ("asking", "unclear") if at >= since + times.unknown else ("charging", "")
