"""What staff do in WHMCS's admin area and no API action does, with the hook points only that fires."""

from collections.abc import Callable

from sandbox.store import Document
from sandbox.whmcs.addons import STEPS, add_addon, step
from sandbox.whmcs.installation import Installation, Refused
from sandbox.whmcs.invoices import cancel_invoice, new_invoice, refund, refund_part, touch
from sandbox.whmcs.people import credit_row

Work = Callable[[Installation, Document, Document], Document]
_OF_A_CLIENT = {"service": "clientid", "invoice": "userid", "order": "userid", "transaction": "userid"}
_ALSO_OF_A_CLIENT = {"paymethod": "clientid", "addon": "userid", "credit": "clientid", "email": "userid"}


def carry_out(whmcs: Installation, kind: str, number: int, action: str, wanted: Document) -> Document | None:
    """Do one of ACTIONS to a row and return it; None when there is no such row or action. Raises Refused."""
    work, row = ACTIONS.get((kind, action)), whmcs.row(kind, number)
    if work is None or row is None:
        return None
    with whmcs.store.transaction():
        return work(whmcs, row, wanted)


def delete_client(whmcs: Installation, client: Document) -> None:
    """Delete a client and all that is theirs; their user stays."""
    whmcs.hook("PreDeleteClient", client_id=client["id"])
    for kind, owner in (_OF_A_CLIENT | _ALSO_OF_A_CLIENT).items():
        for row in whmcs.rows(kind, **{owner: client["id"]}):
            whmcs.remove(kind, row["id"])
    for row in whmcs.rows("membership", client_id=client["id"]):
        whmcs.remove("membership", row["id"])
    whmcs.remove("client", client["id"])


def _merge(whmcs: Installation, client: Document, wanted: Document) -> Document:
    """Give everything of a client to another, who stays."""
    heir = whmcs.row("client", int(wanted["into"]))
    if heir is None or heir["id"] == client["id"]:
        raise Refused("Client ID Not Found")
    has_default = bool(whmcs.rows("paymethod", clientid=heir["id"]))
    for kind, owner in (_OF_A_CLIENT | _ALSO_OF_A_CLIENT).items():
        for row in whmcs.rows(kind, **{owner: client["id"]}):
            mine = {"is_default": False} if kind == "paymethod" and has_default else {}
            whmcs.save(kind, row | {owner: heir["id"]} | mine)
    whmcs.save("client", heir | {"credit": heir["credit"] + client["credit"]})
    whmcs.remove("client", client["id"])
    whmcs.hook("AfterClientMerge", client_id=heir["id"], merged_client_id=client["id"])
    return whmcs.row("client", heir["id"]) or heir


def _delete_service(whmcs: Installation, service: Document, wanted: Document) -> Document:
    whmcs.remove("service", service["id"])
    whmcs.hook("ServiceDelete", client_id=service["clientid"], service_id=service["id"])
    return service


def _change_options(whmcs: Installation, service: Document, wanted: Document) -> Document:
    """Change what a service's configurable options cost; the options themselves are not kept here."""
    recurring = int(wanted["recurring"]) * 100
    wish = {"service_id": service["id"], "pid": service["pid"], "amount": recurring, "status": "Completed"}
    upgrade = whmcs.add("upgrade", wish)
    service |= {"recurringamount": recurring}
    whmcs.save("service", service)
    whmcs.hook("AfterConfigOptionsUpgrade", upgrade_id=upgrade["id"])
    return service


def _add_addon(whmcs: Installation, service: Document, wanted: Document) -> Document:
    return add_addon(whmcs, service, str(wanted["name"]), int(wanted.get("recurring", 0)) * 100)


def _cancel_and_refund(whmcs: Installation, order: Document, wanted: Document) -> Document:
    invoice = whmcs.row("invoice", order["invoiceid"])
    if invoice is None or invoice["status"] not in ("Unpaid", "Paid"):
        raise Refused("The order has no invoice to refund.")
    order |= {"status": "Cancelled"}
    whmcs.save("order", order)
    for service in whmcs.rows("service", orderid=order["id"]):
        whmcs.save("service", service | {"status": "Cancelled"})
    if invoice["status"] == "Paid":
        refund(whmcs, invoice)
    else:
        cancel_invoice(whmcs, invoice)
    whmcs.hook("CancelAndRefundOrder", order_id=order["id"])
    return order


def _split(whmcs: Installation, invoice: Document, wanted: Document) -> Document:
    """Move lines of an unpaid invoice to a new one, which is returned."""
    moved = [item for item in invoice["items"] if item["id"] in wanted["lines"]]
    if invoice["status"] != "Unpaid" or not moved or len(moved) == len(invoice["items"]):
        raise Refused("Some lines of an unpaid invoice can be split off, not all.")
    touch(whmcs, invoice, items=[item for item in invoice["items"] if item not in moved])
    names = ("date", "duedate", "paymentmethod", "taxrate")
    fresh = new_invoice(whmcs, invoice["userid"], moved, **{name: invoice[name] for name in names})
    whmcs.hook("InvoiceSplit", invoice_id=invoice["id"], new_invoice_id=fresh["id"])
    return fresh


def _late_fee(whmcs: Installation, invoice: Document, wanted: Document) -> Document:
    if invoice["status"] != "Unpaid":
        raise Refused(f"The invoice is {invoice['status']}.")
    amount = int(wanted["amount"]) * 100
    line = {"type": "LateFee", "relid": invoice["id"], "description": "Late Fee", "amount": amount, "taxed": 0}
    line["id"] = whmcs.store.next_number("whmcs.invoice_item")
    touch(whmcs, invoice, items=[*invoice["items"], line])
    whmcs.hook("AddInvoiceLateFee", invoice_id=invoice["id"])
    return invoice


def _refund_part(whmcs: Installation, invoice: Document, wanted: Document) -> Document:
    """Give back a part, as money or (to_credit) as credit; the invoice stays Paid."""
    amount = int(wanted["amount"]) * 100
    paid = sum(row["amountin"] - row["amountout"] for row in whmcs.rows("transaction", invoiceid=invoice["id"]))
    if invoice["status"] != "Paid" or not 0 < amount < paid:
        raise Refused("A part of what was paid can be refunded.")
    refund_part(whmcs, invoice, amount)
    client = whmcs.row("client", invoice["userid"])
    if wanted.get("to_credit") and client:
        credit_row(whmcs, client, amount, description=f"Refund of Invoice #{invoice['id']}", relid=invoice["id"])
    return invoice


def _single_sign_on(whmcs: Installation, client: Document, wanted: Document) -> Document:
    client |= {"allow_sso": int(bool(wanted["allowed"]))}
    whmcs.save("client", client)
    whmcs.hook("ClientEdit", client_id=client["id"])
    return client


def _stepping(name: str) -> Work:
    def work(whmcs: Installation, addon: Document, wanted: Document) -> Document:
        step(whmcs, addon, name)
        return whmcs.row("addon", addon["id"]) or addon

    return work


ACTIONS: dict[tuple[str, str], Work] = {
    ("client", "merge"): _merge,
    ("client", "single-sign-on"): _single_sign_on,
    ("service", "delete"): _delete_service,
    ("service", "options"): _change_options,
    ("service", "addon"): _add_addon,
    ("order", "cancel-and-refund"): _cancel_and_refund,
    ("invoice", "split"): _split,
    ("invoice", "late-fee"): _late_fee,
    ("invoice", "refund-part"): _refund_part,
    **{("addon", name): _stepping(name) for name in STEPS},
}
