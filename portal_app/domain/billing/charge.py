"""An invoice that the portal writes for one purchase, and what became of its charge."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.money import Money

CaptureAnswer = Literal["accepted", "declined", "not_unpaid"]


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice to write: one taxed line. `gateway` is that of the stored card, else WHMCS charges nothing."""

    description: str
    amount: Money
    gateway: str
    due_on: date
    reference: str


@dataclass(frozen=True, slots=True)
class ChargedInvoice:
    """An invoice as it is now, and whether WHMCS ever tried to charge a card for it."""

    invoice: Invoice
    was_tried: bool

    @property
    def price(self) -> Money:
        """The amount with tax, before any credit was used."""
        return self.invoice.subtotal + self.invoice.tax

    @property
    def is_paid(self) -> bool:
        """Whether it is settled: by status, or by payments and credit that cover it whatever its status says."""
        received = Money.total((each.amount for each in self.invoice.payments), self.price.currency)
        covered = received.minor > 0 and received + self.invoice.credit >= self.price
        return self.invoice.status == "paid" or (covered and self.invoice.status != "refunded")
