"""The status of an invoice, in a customer's words."""

from datetime import date

from portal_app.domain.billing.invoice import Invoice
from portal_app.language import _
from portal_app.state.shell.standing import StatusLabel

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


def invoice_standing(invoice: Invoice, today: date) -> StatusLabel:
    """Return the status of an invoice on a day: due, overdue, paid, or another final one."""
    if invoice.is_overdue(today):
        return StatusLabel(_("Overdue"), "problem")
    word, tone = _INVOICES[invoice.status]
    return StatusLabel(_(word), tone)
