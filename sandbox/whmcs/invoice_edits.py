"""What staff and the cron do to invoices by API: edit, publish, book transactions, generate what is due."""

from typing import Any

from sandbox.store import Document
from sandbox.whmcs.automation import bill_renewals
from sandbox.whmcs.installation import Installation, Refused, Request
from sandbox.whmcs.invoices import Payment, cancel_invoice, pay, touch
from sandbox.whmcs.money import CURRENCY_ID, hundredths
from sandbox.whmcs.pay_methods import GATEWAYS

_STATUSES = ("Draft", "Unpaid", "Paid", "Cancelled", "Refunded", "Collections", "Payment Pending")
_INCOMPLETE = "Missing Variables: itemdescription, itemamount and itemtaxed are required for each item being changed"
_LINE = ("itemdescription", "itemamount", "itemtaxed")
_LINE_FIELDS = (*_LINE, *(f"new{name}" for name in _LINE), "deletelineids")
_IMMUTABLE = "This invoice has been issued and can no longer be edited"


def update_invoice(whmcs: Installation, request: Request) -> Document:
    """UpdateInvoice. Lines change only in a Draft, in WHMCS 8 in any invoice; line scalars silently do nothing."""
    invoice = whmcs.required("invoice", request.number("invoiceid"), "Invoice ID Not Found")
    is_publishing = request.flag("publish") or request.flag("publishandsendemail")
    if is_publishing and invoice["status"] != "Draft":
        raise Refused("Invoice must be in Draft status to be published")
    status = request.text("status")
    if status and status not in _STATUSES:
        raise Refused(f"Invalid status {status}")
    _change_lines(whmcs, invoice, request)
    names = ("paymentmethod", "date", "duedate", "datepaid", "notes")
    changes: dict[str, Any] = {name: request.text(name) for name in names if request.text(name)}
    if "paymentmethod" in changes and changes["paymentmethod"] != invoice["paymentmethod"]:
        whmcs.hook("InvoiceChangeGateway", invoice_id=invoice["id"])
    if request.has("taxrate"):
        changes["taxrate"] = f"{(hundredths(request.text('taxrate')) or 0) / 100:.3f}"
    touch(whmcs, invoice, **changes)
    if is_publishing:
        touch(whmcs, invoice, status="Unpaid")
        whmcs.hook("InvoiceCreated", invoice_id=invoice["id"])
    elif status:
        _change_status(whmcs, invoice, status)
    return {"invoiceid": invoice["id"]}


def add_transaction(whmcs: Installation, request: Request) -> Document:
    """AddTransaction: its transaction ids are unique unless told otherwise."""
    client = whmcs.row("client", request.number("userid")) if request.has("userid") else None
    if request.has("userid") and client is None:
        raise Refused("Client ID Not Found")
    invoice = whmcs.row("invoice", request.number("invoiceid")) if request.has("invoiceid") else None
    if request.has("invoiceid") and invoice is None:
        raise Refused("Invoice ID Not Found")
    if client and invoice and invoice["userid"] != client["id"]:
        raise Refused("User ID does not own the given Invoice ID")
    if client is None and request.number("currencyid") != CURRENCY_ID:
        wrong = "Currency ID Not Found" if request.has("currencyid") else None
        raise Refused(wrong or "A Currency ID is required for non-customer related transactions")
    if request.text("paymentmethod") not in GATEWAYS:
        raise Refused("Payment Method is required")
    transid = request.text("transid")
    if transid and not request.flag("allowduplicatetransid") and whmcs.rows("transaction", transid=transid):
        raise Refused("Transaction ID must be Unique")
    _book(whmcs, request, client, invoice)
    return {}


def gen_invoices(whmcs: Installation, request: Request) -> Document:
    """GenInvoices: what the cron would bill today."""
    if request.has("clientid") and whmcs.row("client", request.number("clientid")) is None:
        raise Refused("Client ID Not Found")
    before = {row["id"] for row in whmcs.rows("invoice")}
    bill_renewals(whmcs, whmcs.today())
    made = [row["id"] for row in whmcs.rows("invoice") if row["id"] not in before]
    return {"numcreated": len(made), "latestinvoiceid": max(made, default=0)}


def _change_lines(whmcs: Installation, invoice: Document, request: Request) -> None:
    changed = [_texts(request, name) for name in _LINE]
    added = [_texts(request, f"new{name}") for name in _LINE]
    deleted = _texts(request, "deletelineids")
    if not any(isinstance(request.fields.get(name), dict) for name in _LINE_FIELDS):
        return
    if invoice["status"] != "Draft" and not whmcs.faults.level("whmcs", "whmcs_8"):
        raise Refused(_IMMUTABLE)
    items = {str(item["id"]): item for item in invoice["items"]}
    for number in deleted.values():
        items.pop(number, None)
    texts, amounts, taxed = changed
    if not texts.keys() == amounts.keys() == taxed.keys():
        raise Refused(_INCOMPLETE)
    for number in texts.keys() & items.keys():
        items[number] |= _line(texts[number], amounts[number], taxed[number])
    texts, amounts, taxed = added
    for place, text in texts.items():
        fresh = {"id": whmcs.store.next_number("whmcs.invoice_item"), "type": "", "relid": 0}
        items[f"new{place}"] = fresh | _line(text, amounts.get(place, "0"), taxed.get(place, "0"))
    touch(whmcs, invoice, items=list(items.values()))
    whmcs.hook("UpdateInvoiceTotal", invoice_id=invoice["id"])


def _texts(request: Request, name: str) -> dict[str, str]:
    """Return the texts of an array field; a scalar does nothing, and neither does an array inside the array."""
    value = request.fields.get(name)
    return {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}


def _line(text: str, amount: str, taxed: str) -> Document:
    return {"description": text, "amount": hundredths(amount) or 0, "taxed": int(taxed not in ("", "0"))}


def _change_status(whmcs: Installation, invoice: Document, status: str) -> None:
    if status == "Cancelled":
        cancel_invoice(whmcs, invoice)
        return
    touch(whmcs, invoice, status=status)
    hooks = {"Unpaid": "InvoiceUnpaid", "Refunded": "InvoiceRefunded", "Paid": "InvoicePaid"}
    if status in hooks:
        whmcs.hook(hooks[status], invoice_id=invoice["id"])


def _book(whmcs: Installation, request: Request, client: Document | None, invoice: Document | None) -> None:
    money_in, out = (hundredths(request.text(name)) or 0 for name in ("amountin", "amountout"))
    owner = client["id"] if client else invoice["userid"] if invoice else 0
    if invoice and money_in and not out:
        pay(whmcs, invoice, Payment(money_in, request.text("paymentmethod"), request.text("transid")))
        return
    row = whmcs.add("transaction", {
        "userid": owner, "currency": 0 if client else CURRENCY_ID, "gateway": request.text("paymentmethod"),
        "date": whmcs.stamp(), "fees": hundredths(request.text("fees")) or 0, "amountin": money_in, "amountout": out,
        "description": request.text("description"), "rate": "1.00000", "transid": request.text("transid"),
        "invoiceid": invoice["id"] if invoice else 0, "refundid": 0,
    })  # fmt: skip
    whmcs.hook("AddTransaction", transaction_id=row["id"], client_id=owner)


ACTIONS = {"UpdateInvoice": update_invoice, "AddTransaction": add_transaction, "GenInvoices": gen_invoices}
