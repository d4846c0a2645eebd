"""Invoices at WHMCS: implements InvoiceGateway."""

from operator import attrgetter
from zoneinfo import ZoneInfo

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.errors import NotFound
from portal_app.domain.ports.listing import Listing
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import WHMCSClient
from portal_app.integrations.whmcs.encoding import FormValue
from portal_app.integrations.whmcs.fields import Row, names_id
from portal_app.integrations.whmcs.reading import all_rows, not_found_when, read_each, understood
from portal_app.integrations.whmcs.schemas import invoice_of

_NEWEST_FIRST: dict[str, FormValue] = {"orderby": "id", "order": "desc"}


class WHMCSInvoices:
    """Read invoices. WHMCS does not check whose an invoice is, so the owner is compared here."""

    def __init__(self, client: WHMCSClient, settings: Settings) -> None:
        self._client = client
        self._currency = settings.whmcs_currency
        self._zone = ZoneInfo(settings.whmcs_timezone)

    async def invoices(self, client_id: int) -> list[Invoice]:
        """Return all invoices of a client, newest first, drafts left out; unreadable ones are named in the listing."""
        wanted = {"userid": client_id, **_NEWEST_FIRST}
        found = await all_rows(self._client, "GetInvoices", wanted, plural="invoices", singular="invoice")
        read = read_each(found, self._parse, action="GetInvoices")
        own = Listing(sorted((one for one in read if one.is_of(client_id)), key=attrgetter("id"), reverse=True))
        own.unreadable = read.unreadable
        return own

    async def invoice(self, client_id: int, invoice_id: int) -> Invoice:
        """Return one invoice with lines and payments. Raises NotFound (another's, drafts), Unreadable."""
        row = await self._row(invoice_id)
        # Before it is read: of an invoice that cannot be read, only its owner hears.
        if not names_id(row, "userid", client_id):
            raise NotFound("GetInvoice: not this client's")
        invoice = self._read(row, invoice_id)
        if not invoice.is_of(client_id):
            raise NotFound("GetInvoice: a draft")
        return invoice

    async def invoice_of_anyone(self, invoice_id: int) -> Invoice:
        """Return an invoice whosever it is, drafts too. Raises NotFound, Unreadable."""
        return self._read(await self._row(invoice_id), invoice_id)

    async def _row(self, invoice_id: int) -> Row:
        with not_found_when("Invoice ID Not Found"):
            return await self._client.call("GetInvoice", {"invoiceid": invoice_id}, safe=True)

    def _read(self, row: Row, invoice_id: int) -> Invoice:
        with understood("GetInvoice", row_id=invoice_id):
            invoice = self._parse(row)
        if invoice.id != invoice_id:
            raise NotFound("GetInvoice: another invoice")
        return invoice

    def _parse(self, row: Row) -> Invoice:
        return invoice_of(row, currency=self._currency, zone=self._zone)
