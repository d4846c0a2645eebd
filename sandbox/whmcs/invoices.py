"""Invoices as rows: their arithmetic, their payment and what payment sets off."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.store import Document
from sandbox.whmcs.installation import NO_TIME, Installation, day_in
from sandbox.whmcs.money import TAX_RATE, tax_on
from sandbox.whmcs.people import credit_row

MONTHS = {"Monthly": 1, "Quarterly": 3, "Semi-Annually": 6, "Annually": 12, "Biennially": 24, "Triennially": 36}


@dataclass(frozen=True)
class Balance:
    """The amounts of an invoice, in hundredths."""

    subtotal: int
    tax: int
    total: int
    balance: int


def new_invoice(whmcs: Installation, client_id: int, items: list[Document], **fields: object) -> Document:
    """Insert an invoice. Each item: type, relid, description, amount in hundredths, taxed 0 or 1."""
    today = whmcs.today().isoformat()
    lines = [{"id": whmcs.store.next_number("whmcs.invoice_item"), **item} for item in items]
    defaults: Document = {
        "invoicenum": "", "userid": client_id, "date": today, "duedate": today, "datepaid": NO_TIME,
        "lastcaptureattempt": NO_TIME, "date_refunded": NO_TIME, "date_cancelled": NO_TIME, "credit": 0,
        "taxrate": usual_rate(whmcs), "status": "Unpaid", "paymentmethod": "stripe", "paymethodid": None, "notes": "",
        "items": lines, "order_id": None, "created_at": whmcs.stamp(), "updated_at": whmcs.stamp(),
    }  # fmt: skip
    invoice = whmcs.add("invoice", defaults | fields)
    if invoice["status"] != "Draft":
        whmcs.hook("InvoiceCreated", invoice_id=invoice["id"])
    return invoice


def usual_rate(whmcs: Installation) -> str:
    """Return the tax rate in percent that staff have set; switch `tax_rate` sets another."""
    level = whmcs.faults.level("whmcs", "tax_rate")
    return f"{level}.000" if level else TAX_RATE


def balance_of(whmcs: Installation, invoice: Document) -> Balance:
    """Work out an invoice's amounts from its lines, credit and transactions."""
    subtotal = sum(item["amount"] for item in invoice["items"])
    taxed = sum(item["amount"] for item in invoice["items"] if item["taxed"])
    in_hundredths = bool(whmcs.faults.level("whmcs", "tax_in_hundredths"))
    tax = tax_on(taxed, invoice["taxrate"], in_hundredths=in_hundredths)
    total = subtotal + tax - invoice["credit"]
    moved = sum(row["amountin"] - row["amountout"] for row in whmcs.rows("transaction", invoiceid=invoice["id"]))
    return Balance(subtotal, tax, total, total - moved)


def is_overdue(whmcs: Installation, invoice: Document) -> bool:
    """Say whether an invoice is unpaid after its due date; never a stored status."""
    return invoice["status"] == "Unpaid" and str(invoice["duedate"]) < whmcs.today().isoformat()


def touch(whmcs: Installation, invoice: Document, **changes: object) -> None:
    """Change an invoice and its updated_at."""
    invoice |= changes | {"updated_at": whmcs.stamp()}
    whmcs.save("invoice", invoice)


def cancel_invoice(whmcs: Installation, invoice: Document) -> None:
    """Cancel an unpaid invoice."""
    touch(whmcs, invoice, status="Cancelled", date_cancelled=whmcs.stamp())
    whmcs.hook("InvoiceCancelled", invoice_id=invoice["id"])


@dataclass(frozen=True)
class Payment:
    """Money received: an amount in hundredths, the gateway, its reference and, unless it is now, the time."""

    amount: int
    gateway: str
    transid: str
    paid_at: str = ""


def pay(whmcs: Installation, invoice: Document, payment: Payment) -> None:
    """Record a payment; a surplus becomes the client's credit, a settled invoice turns Paid."""
    owed = balance_of(whmcs, invoice).balance
    was_open = invoice["status"] in ("Unpaid", "Payment Pending", "Collections")
    amount, when = payment.amount, payment.paid_at or whmcs.stamp()
    whmcs.add("transaction", {
        "userid": invoice["userid"], "currency": 0, "gateway": payment.gateway, "date": when, "fees": 0,
        "description": "Invoice Payment", "amountin": amount, "amountout": 0, "rate": "1.00000",
        "transid": payment.transid, "invoiceid": invoice["id"], "refundid": 0,
    })  # fmt: skip
    whmcs.hook("AddInvoicePayment", invoice_id=invoice["id"])
    surplus = amount - max(owed, 0)
    client = whmcs.row("client", invoice["userid"])
    if surplus > 0 and client:
        text = f"Overpayment of Invoice #{invoice['id']}"
        credit_row(whmcs, client, surplus, description=text, relid=invoice["id"])
    if was_open and amount >= owed:
        settle(whmcs, invoice, when)
    else:
        touch(whmcs, invoice)


def settle(whmcs: Installation, invoice: Document, when: str) -> None:
    """Turn an invoice Paid and do what a paid invoice sets off. The order it came from stays Pending."""
    touch(whmcs, invoice, status="Paid", datepaid=when, **_own_number(whmcs, invoice))
    for item in invoice["items"]:
        if item["type"] == "Hosting":
            _extend(whmcs, item["relid"])
        elif item["type"] == "Upgrade":
            apply_upgrade(whmcs, item["relid"])
    whmcs.hook("InvoicePaid", invoice_id=invoice["id"])
    if invoice["order_id"]:
        ids = {"order_id": invoice["order_id"], "client_id": invoice["userid"], "invoice_id": invoice["id"]}
        whmcs.hook("OrderPaid", **ids)


def apply_upgrade(whmcs: Installation, upgrade_id: int) -> None:
    """Give a service the product of a pending upgrade."""
    upgrade = whmcs.row("upgrade", upgrade_id)
    service = whmcs.row("service", upgrade["service_id"]) if upgrade else None
    if upgrade is None or service is None or upgrade["status"] != "Pending":
        return
    whmcs.save("upgrade", upgrade | {"status": "Completed"})
    whmcs.save("service", service | {"pid": upgrade["pid"], "recurringamount": upgrade["amount"]})
    whmcs.hook("AfterProductUpgrade", upgrade_id=upgrade_id)
    whmcs.hook("ServiceEdit", client_id=service["clientid"], service_id=service["id"])


def refund(whmcs: Installation, invoice: Document) -> None:
    """Give back everything paid on an invoice and turn it Refunded."""
    for row in whmcs.rows("transaction", invoiceid=invoice["id"]):
        back = {"amountin": 0, "amountout": row["amountin"], "refundid": row["id"], "description": "Refund"}
        if row["amountin"]:
            whmcs.add("transaction", {name: row[name] for name in row if name != "id"} | back | {"date": whmcs.stamp()})
    touch(whmcs, invoice, status="Refunded", date_refunded=whmcs.stamp())
    whmcs.hook("InvoiceRefunded", invoice_id=invoice["id"])


def refund_part(whmcs: Installation, invoice: Document, amount: int) -> None:
    """Give back a part of what was paid, of the last payment; WHMCS leaves such an invoice Paid."""
    last = [row for row in whmcs.rows("transaction", invoiceid=invoice["id"]) if row["amountin"]][-1]
    back = {"amountin": 0, "amountout": amount, "refundid": last["id"], "description": "Refund"}
    fields = {name: value for name, value in last.items() if name != "id"} | back | {"date": whmcs.stamp()}
    row = whmcs.add("transaction", fields)
    touch(whmcs, invoice)
    whmcs.hook("AddTransaction", transaction_id=row["id"], client_id=invoice["userid"], invoice_id=invoice["id"])


def one_cycle_later(day: date, cycle: str) -> date:
    """Return the date one billing cycle after a day, cut to the month's end."""
    months = day.month - 1 + MONTHS[cycle]
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def period(day: date, cycle: str) -> str:
    """Return the words of an invoice line for the cycle that begins on a day."""
    return f"({day:%Y/%m/%d} - {one_cycle_later(day, cycle) - timedelta(days=1):%Y/%m/%d})"


def _own_number(whmcs: Installation, invoice: Document) -> Document:
    """Return the number a paid invoice gets with sequential numbering, a setting that is off by default."""
    if invoice["invoicenum"] or not whmcs.faults.level("whmcs", "invoice_numbers"):
        return {}
    return {"invoicenum": f"{whmcs.today().year}-{whmcs.store.next_number('whmcs.invoice_number'):05}"}


def _extend(whmcs: Installation, service_id: int) -> None:
    service = whmcs.row("service", service_id)
    due = day_in(service["nextduedate"]) if service else None
    if service and due and service["billingcycle"] in MONTHS:
        service["nextduedate"] = one_cycle_later(due, service["billingcycle"]).isoformat()
        whmcs.save("service", service)
