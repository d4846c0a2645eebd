"""Invoice, payment, credit and transaction actions of the API."""

import re
import secrets

from sandbox.store import Document
from sandbox.whmcs.installation import Died, Installation, Refused, Request, page
from sandbox.whmcs.invoices import Payment, balance_of, is_overdue, new_invoice, pay, settle, touch, usual_rate
from sandbox.whmcs.money import CURRENCY_CODE, CURRENCY_ID, PREFIX, SUFFIX, decimal, hundredths
from sandbox.whmcs.pay_methods import TOKEN_GATEWAYS, charge
from sandbox.whmcs.people import credit_row

_ITEM = re.compile(r"^itemdescription([0-9]+)$")
_ORDERS = {name: name for name in ("id", "date", "duedate", "total", "status")}
_DRAFT_SENT = "Cannot create and send a draft invoice in a single API request. Please create and send separately."


def get_invoices(whmcs: Installation, request: Request) -> Document:
    """GetInvoices: rows with currency and without balance; Overdue is a filter only."""
    rows = whmcs.rows("invoice", userid=request.number("userid")) if request.has("userid") else whmcs.rows("invoice")
    status = request.text("status")
    if status:
        rows = [row for row in rows if row["status"] == status or (status == "Overdue" and is_overdue(whmcs, row))]
    order = _ORDERS.get(request.text("orderby"), "id")
    key = (lambda row: balance_of(whmcs, row).total) if order == "total" else (lambda row: (row[order], row["id"]))
    rows.sort(key=key, reverse=request.text("order").lower() == "desc")
    cut, counters = page(rows, request)
    return counters | {"invoices": {"invoice": [_row_shown(whmcs, row) for row in cut]}}


def get_invoice(whmcs: Installation, request: Request) -> Document:
    """GetInvoice: lines and payments; an empty payment list is an empty text."""
    invoice = _invoice(whmcs, request)
    owed = balance_of(whmcs, invoice)
    items = [item | {"amount": decimal(item["amount"])} for item in invoice["items"]]
    payments = [_transaction_shown(row, int) for row in whmcs.rows("transaction", invoiceid=invoice["id"])]
    names = ("invoicenum", "userid", "date", "duedate", "datepaid", "lastcaptureattempt")
    return {
        "invoiceid": invoice["id"],
        **{name: invoice[name] for name in names},
        **_amounts(whmcs, invoice),
        "balance": decimal(owed.balance),
        "taxrate": invoice["taxrate"], "taxrate2": "0.000", "status": invoice["status"],
        "paymentmethod": invoice["paymentmethod"], "notes": invoice["notes"],
        "ccgateway": invoice["paymentmethod"] in TOKEN_GATEWAYS, "items": {"item": items},
        "transactions": {"transaction": payments} if payments else "",
    }  # fmt: skip


def create_invoice(whmcs: Installation, request: Request) -> Document:
    """CreateInvoice from numbered line fields."""
    client = _client(whmcs, request.number("userid"))
    draft = request.flag("draft") or request.text("status").lower() == "draft"
    if draft and request.flag("sendinvoice"):
        raise Refused(_DRAFT_SENT)
    numbers = sorted(int(match[1]) for name in request.fields if (match := _ITEM.match(name)))
    items = [_item(request, number) for number in numbers]
    wanted = {name: request.text(name) for name in ("paymentmethod", "date", "duedate", "notes") if request.text(name)}
    rate = hundredths(request.text("taxrate", usual_rate(whmcs)))
    wanted |= {"taxrate": usual_rate(whmcs) if rate is None else f"{rate / 100:.3f}"}
    invoice = new_invoice(whmcs, client["id"], items, **wanted, status="Draft" if draft else "Unpaid")
    if request.flag("autoapplycredit") or whmcs.faults.level("whmcs", "auto_credit"):
        _use_credit(whmcs, client, invoice, min(client["credit"], balance_of(whmcs, invoice).balance))
    return {"invoiceid": invoice["id"], "status": invoice["status"]}


def add_invoice_payment(whmcs: Installation, request: Request) -> Document:
    """AddInvoicePayment: without amount the whole balance. A repeated transid is not noticed."""
    invoice = _invoice(whmcs, request)
    if invoice["status"] == "Cancelled":
        raise Refused("It is not possible to add a payment to an invoice that is Cancelled")
    amount = hundredths(request.text("amount"))
    amount = balance_of(whmcs, invoice).balance if amount is None else amount
    gateway = request.text("gateway") or invoice["paymentmethod"]
    pay(whmcs, invoice, Payment(amount, gateway, request.text("transid"), request.text("date")))
    return {}


def capture_payment(whmcs: Installation, request: Request) -> Document:
    """CapturePayment with the stored card."""
    invoice = whmcs.row("invoice", request.number("invoiceid"))
    if invoice is None or invoice["status"] != "Unpaid" or invoice["paymentmethod"] not in TOKEN_GATEWAYS:
        raise Refused("Invoice Not Found or Not Unpaid")
    if not capture(whmcs, invoice):
        raise Refused("Payment Attempt Failed")
    return {}


def capture(
    whmcs: Installation, invoice: Document, pay_method_id: int | None = None, *, is_holder_there: bool = False
) -> bool:
    """Charge an unpaid invoice to a stored card, by default the newest; False when that failed."""
    touch(whmcs, invoice, lastcaptureattempt=whmcs.stamp())
    if not charge(whmcs, invoice["userid"], pay_method_id, is_holder_there=is_holder_there):
        return False
    # What the gateway took, whether WHMCS came to book it or not.
    taken = balance_of(whmcs, invoice).balance
    whmcs.add("charge", {"invoiceid": invoice["id"], "userid": invoice["userid"], "amount": taken, "at": whmcs.stamp()})
    if whmcs.faults.take_special("whmcs", "charge_dies"):
        raise Died
    touch(whmcs, invoice, paymentmethod="stripe")
    if whmcs.faults.take_special("whmcs", "payment_pending"):
        touch(whmcs, invoice, status="Payment Pending")
        return True
    pay(whmcs, invoice, Payment(taken, "stripe", f"ch_{secrets.token_hex(8)}"))
    return True


def apply_credit(whmcs: Installation, request: Request) -> Document:
    """ApplyCredit to an unpaid invoice."""
    invoice = _invoice(whmcs, request)
    if invoice["status"] != "Unpaid":
        raise Refused("Invoice Not in Unpaid Status")
    client = _client(whmcs, invoice["userid"])
    amount = hundredths(request.text("amount")) or 0
    if amount <= 0:
        raise Refused("Credit Amount to apply must be greater than zero")
    if amount > client["credit"]:
        raise Refused("Amount exceeds customer credit balance")
    if amount > balance_of(whmcs, invoice).balance:
        raise Refused("Amount Exceeds Invoice Balance")
    _use_credit(whmcs, client, invoice, amount)
    paid = "true" if invoice["status"] == "Paid" else "false"
    return {"invoiceid": request.text("invoiceid"), "amount": decimal(amount), "invoicepaid": paid}


def add_credit(whmcs: Installation, request: Request) -> Document:
    """AddCredit: add to or remove from a client's balance."""
    kind = request.text("type", "add")
    if kind not in ("add", "remove"):
        raise Refused("Type can only be add or remove")
    client = _client(whmcs, request.number("clientid"))
    if not request.text("amount"):
        raise Refused("No Amount Provided")
    amount = hundredths(request.text("amount"))
    if amount is None or amount < 0:
        raise Refused("Amount must be in decimal format: ### or ###.##")
    credit_row(whmcs, client, amount if kind == "add" else -amount, description=request.text("description"))
    return {"newbalance": decimal(client["credit"])}


def get_credits(whmcs: Installation, request: Request) -> Document:
    """GetCredits: the log of a client's credit."""
    client = _client(whmcs, request.number("clientid"))
    rows = [
        {"id": str(row["id"]), "date": row["date"], "description": row["description"]}
        | {"amount": decimal(row["amount"]), "relid": str(row["relid"])}
        for row in whmcs.rows("credit", clientid=client["id"])
    ]
    counters = {"totalresults": str(len(rows)), "clientid": str(client["id"])}
    return counters | ({"credits": {"credit": rows}} if rows else {})


def get_transactions(whmcs: Installation, request: Request) -> Document:
    """GetTransactions, never paged; ids are texts."""
    rows = whmcs.rows("transaction")
    for name, field in (("invoiceid", "invoiceid"), ("clientid", "userid")):
        if request.has(name):
            rows = [row for row in rows if row[field] == request.number(name)]
    if request.has("transid"):
        rows = [row for row in rows if row["transid"] == request.text("transid")]
    counters = {"totalresults": len(rows), "startnumber": 0, "numreturned": len(rows)}
    return counters | {"transactions": {"transaction": [_transaction_shown(row, str) for row in rows]}}


def get_currencies(whmcs: Installation, request: Request) -> Document:
    """GetCurrencies: yen only."""
    row = {"id": str(CURRENCY_ID), "code": CURRENCY_CODE, "prefix": PREFIX, "suffix": SUFFIX, "format": "4"}
    return {"totalresults": "1", "currencies": {"currency": [row | {"rate": "1.00000"}]}}


def _invoice(whmcs: Installation, request: Request) -> Document:
    return whmcs.required("invoice", request.number("invoiceid"), "Invoice ID Not Found")


def _client(whmcs: Installation, number: int) -> Document:
    return whmcs.required("client", number, "Client ID Not Found")


def _item(request: Request, number: int) -> Document:
    amount = hundredths(request.text(f"itemamount{number}")) or 0
    line = {"type": "", "relid": 0, "description": request.text(f"itemdescription{number}"), "amount": amount}
    return line | {"taxed": int(request.flag(f"itemtaxed{number}"))}


def _use_credit(whmcs: Installation, client: Document, invoice: Document, amount: int) -> None:
    if amount > 0:
        text = f"Credit Applied to Invoice #{invoice['id']}"
        credit_row(whmcs, client, -amount, description=text, relid=invoice["id"])
        touch(whmcs, invoice, credit=invoice["credit"] + amount)
        if balance_of(whmcs, invoice).balance <= 0:
            settle(whmcs, invoice, whmcs.stamp())


def _amounts(whmcs: Installation, invoice: Document) -> Document:
    owed = balance_of(whmcs, invoice)
    amounts = {"subtotal": owed.subtotal, "credit": invoice["credit"], "tax": owed.tax, "tax2": 0, "total": owed.total}
    return {name: decimal(amount) for name, amount in amounts.items()}


def _row_shown(whmcs: Installation, invoice: Document) -> Document:
    client = whmcs.row("client", invoice["userid"]) or {}
    names = ("firstname", "lastname", "companyname")
    dates = ("invoicenum", "date", "duedate", "datepaid")
    return {
        "id": invoice["id"], "userid": invoice["userid"],
        **{name: client.get(name, "") for name in names}, **{name: invoice[name] for name in dates},
        "last_capture_attempt": invoice["lastcaptureattempt"], "date_refunded": invoice["date_refunded"],
        "date_cancelled": invoice["date_cancelled"], **_amounts(whmcs, invoice), "taxrate": invoice["taxrate"],
        "taxrate2": "0.000", "status": invoice["status"], "paymentmethod": invoice["paymentmethod"],
        "paymethodid": invoice["paymethodid"], "notes": invoice["notes"], "created_at": invoice["created_at"],
        "updated_at": invoice["updated_at"], "currencycode": CURRENCY_CODE, "currencyprefix": PREFIX,
        "currencysuffix": SUFFIX,
    }  # fmt: skip


def _transaction_shown(row: Document, number: type) -> Document:
    shown: Document = {name: number(row[name]) for name in ("id", "userid", "currency")}
    shown |= {name: row[name] for name in ("gateway", "date", "description")}
    shown |= {name: decimal(row[name]) for name in ("amountin", "fees", "amountout")}
    return (
        shown
        | {"rate": row["rate"], "transid": row["transid"]}
        | {name: number(row[name]) for name in ("invoiceid", "refundid")}
    )


ACTIONS = {
    "GetInvoices": get_invoices,
    "GetInvoice": get_invoice,
    "CreateInvoice": create_invoice,
    "AddInvoicePayment": add_invoice_payment,
    "CapturePayment": capture_payment,
    "ApplyCredit": apply_credit,
    "AddCredit": add_credit,
    "GetCredits": get_credits,
    "GetTransactions": get_transactions,
    "GetCurrencies": get_currencies,
}
