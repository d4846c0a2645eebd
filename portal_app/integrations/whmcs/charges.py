"""Invoices that the portal writes at WHMCS, found again by our reference in their notes: implements ChargeGateway."""

from zoneinfo import ZoneInfo

from portal_app.domain.billing.charge import CaptureAnswer, ChargedInvoice, NewInvoice
from portal_app.domain.errors import NotFound
from portal_app.domain.money import Money
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import FormValue
from portal_app.integrations.whmcs.fields import moment, names_id, number, rows, text
from portal_app.integrations.whmcs.reading import not_found_when, understood
from portal_app.integrations.whmcs.schemas import invoice_of

# The answers of CapturePayment that are a definite no, in lower case.
_REFUSALS: dict[str, CaptureAnswer] = {
    "payment attempt failed": "declined",
    "invoice not found or not unpaid": "not_unpaid",
}
# A purchase is looked up within minutes: its invoice is among the client's newest.
_NEWEST: dict[str, FormValue] = {"orderby": "id", "order": "desc", "limitstart": 0, "limitnum": 25}


class WHMCSCharges:
    """Write, find, charge and cancel invoices. Neither CreateInvoice nor CapturePayment has an idempotency key."""

    def __init__(self, client: WHMCSClient, settings: Settings) -> None:
        self._client = client
        self._currency = settings.whmcs_currency
        self._zone = ZoneInfo(settings.whmcs_timezone)

    async def create_invoice(self, client_id: int, new: NewInvoice) -> int:
        """Write an invoice of one taxed line and return its id."""
        wanted: dict[str, FormValue] = {
            "userid": client_id,
            "status": "Unpaid",
            "sendinvoice": False,
            "paymentmethod": new.gateway,
            "duedate": new.due_on.isoformat(),
            "notes": new.reference,
            "itemdescription1": new.description,
            "itemamount1": str(new.amount.minor),
            "itemtaxed1": True,
        }
        answer = await self._client.call("CreateInvoice", wanted, safe=False)
        with understood("CreateInvoice", written=True):
            return number(answer, "invoiceid")

    async def find_invoice(self, client_id: int, reference: str) -> int | None:
        """Look our reference up in the notes of the client's newest invoices."""
        body = await self._client.call("GetInvoices", {"userid": client_id, **_NEWEST}, safe=True)
        for row in rows(body, "invoices", "invoice"):
            if names_id(row, "userid", client_id) and text(row, "notes") == reference:
                with understood("GetInvoices"):
                    return number(row, "id")
        return None

    async def charged_invoice(self, client_id: int, invoice_id: int) -> ChargedInvoice:
        """Read one invoice. Raises NotFound, also for another client's."""
        with not_found_when("Invoice ID Not Found"):
            body = await self._client.call("GetInvoice", {"invoiceid": invoice_id}, safe=True)
        with understood("GetInvoice"):
            found = invoice_of(body, currency=self._currency, zone=self._zone)
            was_tried = moment(body, "lastcaptureattempt", self._zone) is not None
        if found.id != invoice_id or found.client_id != client_id:
            raise NotFound("GetInvoice: another invoice")
        return ChargedInvoice(found, was_tried)

    async def capture(self, invoice_id: int) -> CaptureAnswer:
        """Charge the stored card. Raises OutcomeUnknown also for a success with a warning."""
        try:
            await self._client.call("CapturePayment", {"invoiceid": invoice_id}, safe=False)
        except WHMCSRejected as error:
            refused = _REFUSALS.get(error.message.casefold())
            if refused is None:
                raise
            return refused
        return "accepted"

    async def cancel_invoice(self, invoice_id: int) -> None:
        """Set the invoice's status to Cancelled."""
        with not_found_when("Invoice ID Not Found"):
            await self._client.call("UpdateInvoice", {"invoiceid": invoice_id, "status": "Cancelled"}, safe=False)

    async def add_credit(self, client_id: int, amount: Money, *, description: str, reference: str) -> None:
        """Add credit; the reference ends its description, the only text that AddCredit takes."""
        wanted: dict[str, FormValue] = {
            "clientid": client_id,
            "amount": str(amount.minor),
            "description": f"{description} ({reference})",
        }
        with not_found_when("Client ID Not Found"):
            await self._client.call("AddCredit", wanted, safe=False)

    async def find_credit(self, client_id: int, reference: str) -> bool:
        """Look our reference up in the log of the client's credit. Raises NotFound."""
        with not_found_when("Client ID Not Found"):
            body = await self._client.call("GetCredits", {"clientid": client_id}, safe=True)
        return any(text(row, "description").endswith(f"({reference})") for row in rows(body, "credits", "credit"))
