"""What services need of WHMCS to bill one purchase and charge it; errors as in `ports`."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

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


class ChargeGateway(Protocol):
    """Invoices that the portal writes itself, and their one charge."""

    async def create_invoice(self, client_id: int, new: NewInvoice) -> int:
        """Write an invoice and return its id. Never repeated blindly: see `find_invoice`."""
        ...

    async def find_invoice(self, client_id: int, reference: str) -> int | None:
        """Find an invoice by our reference among the client's newest, or None."""
        ...

    async def charged_invoice(self, client_id: int, invoice_id: int) -> ChargedInvoice:
        """Return one invoice with its payments. Raises NotFound, also for another client's."""
        ...

    async def capture(self, invoice_id: int) -> CaptureAnswer:
        """Charge an unpaid invoice to the stored card. Never repeat it: nothing tells two charges from one."""
        ...

    async def cancel_invoice(self, invoice_id: int) -> None:
        """Cancel an unpaid invoice. Safe to repeat; WHMCS cancels a paid one too, so read it before."""
        ...
