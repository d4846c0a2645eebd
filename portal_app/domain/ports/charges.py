"""What services need of WHMCS to bill one purchase and charge it, and to give money back; errors as in `ports`."""

from typing import Protocol

from portal_app.domain.billing.charge import CaptureAnswer, ChargedInvoice, NewInvoice
from portal_app.domain.money import Money


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

    async def add_credit(self, client_id: int, amount: Money, *, description: str, reference: str) -> None:
        """Add to a client's credit, which pays later invoices. Never repeated blindly: see `find_credit`."""
        ...

    async def find_credit(self, client_id: int, reference: str) -> bool:
        """Say whether credit was added under our reference."""
        ...
