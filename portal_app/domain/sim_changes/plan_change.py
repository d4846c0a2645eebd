"""Changing the plan of a line: which plans it may have, from which day, and what an invoice was wrong by.

A change is held in the portal until the cut-off, as no call of the carrier takes one back. It begins on the 1st.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.catalog.plan import CatalogItem
from portal_app.domain.money import Money
from portal_app.domain.sim.usage import month_end
from portal_app.language.format import JAPAN

# An invoice that bills the service: also one that is paid already.
_ISSUED = ("unpaid", "paid", "payment_pending", "collections")


@dataclass(frozen=True, slots=True)
class PlanSchedule:
    """The day a plan begins (Japan), and when it is sent to the carrier (UTC): until then it can be withdrawn."""

    effective_on: date
    sends_at: datetime

    @property
    def withdraw_until(self) -> date:
        """The last day (Japan) on which it can be withdrawn."""
        return (self.sends_at - timedelta(microseconds=1)).astimezone(JAPAN).date()


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """A plan that a line may have, with its monthly price without tax and its data; `data_mb` None where unknown."""

    product_id: int
    sku: str
    name: str
    code: str
    price: Money
    data_mb: int | None


def plan_schedule(asked_at: datetime, *, days_before_end: int) -> PlanSchedule:
    """Return the dates of a change that is asked for at a time.

    The cut-off is 24:00 in Japan of the day that lies `days_before_end` days before the month's last. Asked for later,
    a change begins a month later.
    """
    last = month_end(asked_at.astimezone(JAPAN).date())
    sends_at = _cut_off(last, days_before_end)
    if asked_at >= sends_at:
        last = month_end(last + timedelta(days=1))
        sends_at = _cut_off(last, days_before_end)
    return PlanSchedule(last + timedelta(days=1), sends_at)


def begins_at(day: date) -> datetime:
    """Return the moment (UTC) at which a day begins in Japan."""
    return datetime.combine(day, time(), JAPAN).astimezone(UTC)


def plan_choices(items: Sequence[CatalogItem], product_id: int) -> tuple[PlanChoice | None, list[PlanChoice]]:
    """Return the plan of a product and those it may be changed to: same kind, same family, sold, billed as shown."""
    plans = [item for item in items if item.category == "sim" and item.item_class == "service"]
    present = next((item for item in plans if item.whmcs_product_id == product_id), None)
    if present is None:
        return None, []
    others = [item for item in plans if _may_follow(present, item)]
    return _choice(present), [_choice(item) for item in sorted(others, key=lambda item: item.price.minor)]


def overbilled(
    invoices: Iterable[Invoice], service_id: int, *, effective_on: date, old: Money, new: Money
) -> tuple[Money, list[int]]:
    """Return by how much issued invoices bill a service wrongly (new less old price, without tax), and which do.

    Wrong are those of a period that begins with the new plan or later and has the old price.
    """
    wrong = [
        invoice
        for invoice in invoices
        if invoice.status in _ISSUED
        and invoice.due_on is not None
        and invoice.due_on >= effective_on
        and any(line.service_id == service_id and line.amount == old for line in invoice.lines)
    ]
    return (new - old) * len(wrong), [invoice.id for invoice in wrong]


def _cut_off(last: date, days_before_end: int) -> datetime:
    return begins_at(last - timedelta(days=days_before_end) + timedelta(days=1))


def _may_follow(present: CatalogItem, other: CatalogItem) -> bool:
    is_offered = other.is_sold and other.choosable and other.is_billed_alike and bool(other.sim_plan_code)
    is_alike = (_kind(other), other.is_family) == (_kind(present), present.is_family)
    is_other = other.whmcs_product_id is not None and other.whmcs_product_id != present.whmcs_product_id
    return is_offered and is_alike and is_other


def _kind(item: CatalogItem) -> tuple[bool, str]:
    """Return what a plan carries: voice, and in the catalogue's word whether data have SMS."""
    return item.has_voice, dict(item.details).get("Kind", "")


def _choice(item: CatalogItem) -> PlanChoice:
    return PlanChoice(
        product_id=item.whmcs_product_id or 0,
        sku=item.sku,
        name=item.name,
        code=item.sim_plan_code,
        price=item.price,
        data_mb=item.sim_data_mb,
    )
