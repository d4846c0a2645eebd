"""One invoice: lines, tax, payments, and the way to pay it."""

from dataclasses import dataclass
from typing import ClassVar

import reflex as rx

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.identifiers import vendor_number
from portal_app.infra.clock import today
from portal_app.language import _
from portal_app.language.format import day, time
from portal_app.state.billing.standing import invoice_standing
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal

_UNREADABLE = "Saved data from {time}. What billing says of this invoice now cannot be shown. Our team has been told."


@dataclass(frozen=True)
class Line:
    """One line of an invoice."""

    description: str
    amount: str


@dataclass(frozen=True)
class PaymentRow:
    """A payment or a refund."""

    at: str
    how: str
    amount: str


@dataclass(frozen=True)
class TaxRow:
    """The tax of one rate."""

    words: str
    amount: str


class InvoicePage(PageState, rx.State):
    """An invoice as WHMCS has it."""

    topics: ClassVar[frozenset[str]] = frozenset({"billing", "account"})

    title: str = ""
    word: str = ""
    tone: str = "neutral"
    headline: str = ""
    caption: str = ""
    lines: list[Line] = []
    payments: list[PaymentRow] = []
    subtotal: str = ""
    taxes: list[TaxRow] = []
    balance: str = ""
    copy_title: str = ""
    credit: str = ""
    total: str = ""
    issued: str = ""
    due: str = ""
    can_pay: bool = False
    pay_words: str = ""

    @handler
    async def pay(self):
        """Open the invoice at WHMCS after a recent proof of identity: the link opens the whole billing area."""
        await self._require_recent_proof()
        number = vendor_number(self._last_part())
        return rx.redirect(await portal().billing.invoices.pay_link(await self._customer(), number))

    @handler
    async def download_pdf(self):
        """Open the invoice's PDF at WHMCS after a recent proof of identity, as `pay` does."""
        await self._require_recent_proof()
        number = vendor_number(self._last_part())
        link = await portal().billing.invoices.pdf_link(await self._customer(), number)
        # In a tab of its own: the page stays, with what it is told.
        return rx.redirect(link, is_external=True)

    async def _read_page(self) -> None:
        number = vendor_number(self._last_part())
        detail = await portal().billing.invoices.invoice_for(await self._customer(), number)
        invoice, standing = detail.invoice, invoice_standing(detail.invoice, today())
        self._note_saved(detail.as_of)
        if detail.as_of and detail.is_unreadable:
            self.saved_note = _(_UNREADABLE).format(time=time(detail.as_of))
        self.title = _("Invoice {number}").format(number=invoice.label)
        self.copy_title = _("Copy of invoice {number}").format(number=invoice.label)
        self.word, self.tone = standing.word, standing.tone
        self.issued, self.due = day(invoice.issued_on), day(invoice.due_on)
        self._add_up(invoice)
        self._offer_to_pay(invoice)

    def _add_up(self, invoice: Invoice) -> None:
        self.lines = [Line(line.description, str(line.amount)) for line in invoice.lines]
        self.payments = [
            PaymentRow(time(paid.paid_at), paid.gateway.title(), str(paid.amount)) for paid in invoice.payments
        ]
        self.subtotal, self.total = str(invoice.subtotal), str(invoice.total)
        rated = [TaxRow(_("Tax {percent}%").format(percent=tax.rate), str(tax.amount)) for tax in invoice.taxes]
        self.taxes = rated or [TaxRow(_("Tax"), str(invoice.tax))]
        is_partly_paid = invoice.balance is not None and 0 < invoice.balance.minor != invoice.total.minor
        self.balance = str(invoice.balance) if is_partly_paid else ""
        self.credit = f"-{invoice.credit}" if invoice.credit.minor else ""

    def _offer_to_pay(self, invoice: Invoice) -> None:
        owed = invoice.owed
        is_open = owed.minor > 0
        self.can_pay = is_open
        self.pay_words = _("Pay {amount}").format(amount=owed)
        self.headline = str(owed if is_open else invoice.total)
        if is_open:
            words = _("Overdue since {day}") if invoice.is_overdue(today()) else _("Due by {day}")
            self.caption = words.format(day=self.due)
        elif invoice.status == "paid" and invoice.paid_at:
            self.caption = _("Paid on {day}").format(day=time(invoice.paid_at))
        else:
            self.caption = self.word
