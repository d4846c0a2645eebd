"""UpgradeProduct: another product for a running service, charged for the rest of its period."""

import secrets
from datetime import timedelta

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request, day_in
from sandbox.whmcs.invoices import MONTHS, apply_upgrade, new_invoice, one_cycle_later
from sandbox.whmcs.money import formatted
from sandbox.whmcs.pay_methods import GATEWAYS
from sandbox.whmcs.people import credit_row

_BUSY = "Unable to accept upgrade order. Previous upgrade invoice for service is still unpaid."


def upgrade_product(whmcs: Installation, request: Request) -> Document:
    """UpgradeProduct for products; nothing here has configurable options. With calconly nothing changes."""
    service = whmcs.required("service", request.number("serviceid"), "Service ID Not Found")
    is_busy = bool(whmcs.rows("upgrade", service_id=service["id"], status="Pending"))
    if is_busy and not request.flag("calconly"):
        raise Refused(_BUSY)
    if request.text("paymentmethod") not in GATEWAYS:
        raise Refused(f"Invalid Payment Method. Valid options include {','.join(GATEWAYS)}")
    target = whmcs.row("product", request.number("newproductid"))
    if request.text("type") != "product" or target is None:
        raise Refused("Invalid Upgrade Type")
    left, whole = _days(whmcs, service)
    price = (target["price"] - service["recurringamount"]) * left // whole // 100 * 100
    old = whmcs.row("product", service["pid"]) or {"name": ""}
    cycle = request.text("newproductbillingcycle", service["billingcycle"]).lower().replace("-", "")
    answer: Document = {
        "oldproductid": str(service["pid"]), "oldproductname": old["name"], "newproductid": target["id"],
        "newproductname": target["name"], "daysuntilrenewal": left, "totaldays": whole,
        "newproductbillingcycle": cycle, "price": formatted(price),
    }  # fmt: skip
    if request.flag("calconly"):
        return answer | {"upgradeinprogress": int(is_busy)}
    return answer | _order(whmcs, request, service, target, price)


def _order(whmcs: Installation, request: Request, service: Document, target: Document, price: int) -> Document:
    gateway = request.text("paymentmethod")
    order = whmcs.add("order", {
        "ordernum": str(1_000_000_000 + secrets.randbelow(9_000_000_000)), "userid": service["clientid"],
        "date": whmcs.stamp(), "amount": max(price, 0), "paymentmethod": gateway, "invoiceid": 0,
        "status": "Pending", "ipaddress": "127.0.0.1", "promocode": "",
    })  # fmt: skip
    wish = {"service_id": service["id"], "pid": target["id"], "amount": target["price"], "status": "Pending"}
    upgrade = whmcs.add("upgrade", wish)
    text = f"Upgrade/Downgrade: {target['name']}"
    invoice_id = None
    if price > 0:
        line = {"type": "Upgrade", "relid": upgrade["id"], "description": text, "amount": price, "taxed": 1}
        invoice = new_invoice(whmcs, service["clientid"], [line], paymentmethod=gateway, order_id=order["id"])
        invoice_id = invoice["id"]
        whmcs.save("order", order | {"invoiceid": invoice_id})
    else:
        client = whmcs.row("client", service["clientid"])
        if client and price < 0:
            credit_row(whmcs, client, -price, description=text)
        apply_upgrade(whmcs, upgrade["id"])
    ids = {"id": str(upgrade["id"]), "orderid": order["id"], "order_number": order["ordernum"]}
    return ids | {"invoiceid": invoice_id}


def _days(whmcs: Installation, service: Document) -> tuple[int, int]:
    due, cycle = day_in(service["nextduedate"]), service["billingcycle"]
    if due is None or cycle not in MONTHS:
        return 1, 1
    # A period's length is that of the one that ends at the due day, measured from a month's end backwards.
    start = due - (one_cycle_later(due, cycle) - due)
    return max((due - whmcs.today()) // timedelta(days=1), 0), (due - start).days


ACTIONS = {"UpgradeProduct": upgrade_product}
