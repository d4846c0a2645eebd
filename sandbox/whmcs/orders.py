"""Orders: placing, accepting, cancelling and listing them."""

import secrets

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request, custom_fields, page
from sandbox.whmcs.invoices import MONTHS, balance_of, cancel_invoice, new_invoice, period
from sandbox.whmcs.modules import MODULE_FAILED, activate
from sandbox.whmcs.money import PREFIX, SUFFIX, decimal, formatted, hundredths
from sandbox.whmcs.pay_methods import GATEWAYS
from sandbox.whmcs.php import integer
from sandbox.whmcs.products import LABELS, new_service

_ALIGNED = ("pid", "qty", "billingcycle", "domain", "customfields", "configoptions", "priceoverride")
# Of these too a text is refused, whatever becomes of them: WHMCS is strict about them since 8.6.
_ARRAYS = (
    *_ALIGNED, "domaintype", "regperiod", "eppcode", "hostname", "ns1prefix", "ns2prefix", "rootpw", "addons",
    "addonsqty", "addonids", "serviceids", "domainrenewals", "servicerenewals", "addonrenewals",
)  # fmt: skip


def add_order(whmcs: Installation, request: Request) -> Document:
    """AddOrder: order and services Pending, an Unpaid invoice unless noinvoice. Nothing is provisioned."""
    client = whmcs.required("client", request.number("clientid"), "Client ID Not Found")
    if client["status"] == "Closed":
        raise Refused("Unable to add order when client status is Closed")
    gateway = request.text("paymentmethod")
    if gateway not in GATEWAYS:
        raise Refused(f"Invalid Payment Method. Valid options include {','.join(GATEWAYS)}")
    arrays = {name: request.array(name) for name in _ARRAYS}
    columns = {name: arrays[name] for name in _ALIGNED}
    wanted = [(index, product) for index, pid in columns["pid"].items() if (product := whmcs.row("product", str(pid)))]
    if not wanted:
        raise Refused("No items added to cart so order cannot proceed")
    order = _new_order(whmcs, client, request)
    services = []
    for index, product in wanted:
        line = {name: column.get(index) for name, column in columns.items()}
        services.append(_order_service(whmcs, order, product, line))
    return _finish_order(whmcs, order, services, request)


def accept_order(whmcs: Installation, request: Request) -> Document:
    """AcceptOrder: with autosetup the products' modules run and the services become Active."""
    order = _pending_order(whmcs, request)
    if request.flag("autosetup") and whmcs.faults.take_special("whmcs", "module_fails"):
        raise Refused(MODULE_FAILED)
    whmcs.hook("AcceptOrder", order_id=order["id"])
    order["status"] = "Active"
    whmcs.save("order", order)
    for service in whmcs.rows("service", orderid=order["id"]):
        product = whmcs.row("product", service["pid"]) or {"module": ""}
        if request.flag("autosetup") or not product["module"]:
            activate(whmcs, service)
    return {}


def cancel_order(whmcs: Installation, request: Request) -> Document:
    """CancelOrder: a Pending order, its services and its unpaid invoice."""
    order = _pending_order(whmcs, request)
    whmcs.hook("CancelOrder", order_id=order["id"])
    _set_status(whmcs, order, "Cancelled")
    invoice = whmcs.row("invoice", order["invoiceid"])
    if invoice and invoice["status"] == "Unpaid":
        cancel_invoice(whmcs, invoice)
    return {}


def pending_order(whmcs: Installation, request: Request) -> Document:
    """PendingOrder: any order and its services wait again."""
    order = whmcs.required("order", request.number("orderid"), "Order ID Not Found")
    whmcs.hook("PendingOrder", order_id=order["id"])
    _set_status(whmcs, order, "Pending")
    return {}


def fraud_order(whmcs: Installation, request: Request) -> Document:
    """FraudOrder: any order and its services are marked."""
    order = whmcs.required("order", request.number("orderid"), "Order ID Not Found")
    whmcs.hook("FraudOrder", order_id=order["id"])
    _set_status(whmcs, order, "Fraud")
    return {}


def delete_order(whmcs: Installation, request: Request) -> Document:
    """DeleteOrder: a Cancelled or Fraud order goes with its services and invoice."""
    order = whmcs.required("order", request.number("orderid"), "Order ID not found")
    if order["status"] not in ("Cancelled", "Fraud"):
        raise Refused("The order status must be in Cancelled or Fraud to be deleted")
    whmcs.hook("DeleteOrder", order_id=order["id"])
    for service in whmcs.rows("service", orderid=order["id"]):
        whmcs.remove("service", service["id"])
    if order["invoiceid"]:
        whmcs.remove("invoice", order["invoiceid"])
    whmcs.remove("order", order["id"])
    return {}


def get_order_statuses(whmcs: Installation, request: Request) -> Document:
    """GetOrderStatuses with their counts."""
    titles = ("Pending", "Active", "Fraud", "Cancelled")
    rows = [{"title": title, "count": len(whmcs.rows("order", status=title))} for title in titles]
    return {"totalresults": len(rows), "statuses": {"status": rows}}


def get_orders(whmcs: Installation, request: Request) -> Document:
    """GetOrders, newest first."""
    rows = whmcs.rows("order")[::-1]
    for name, field in (("id", "id"), ("userid", "userid")):
        if request.text(name):
            rows = [row for row in rows if row[field] == request.number(name)]
    if request.text("status"):
        rows = [row for row in rows if row["status"] == request.text("status")]
    cut, counters = page(rows, request)
    return counters | ({"orders": {"order": [_order_shown(whmcs, row) for row in cut]}} if cut else {})


def _new_order(whmcs: Installation, client: Document, request: Request) -> Document:
    return whmcs.add("order", {
        "ordernum": str(1_000_000_000 + secrets.randbelow(9_000_000_000)), "userid": client["id"],
        "date": whmcs.stamp(), "amount": 0, "paymentmethod": request.text("paymentmethod"), "invoiceid": 0,
        "status": "Pending", "ipaddress": request.text("clientip", "127.0.0.1"), "promocode": request.text("promocode"),
    })  # fmt: skip


def _order_service(whmcs: Installation, order: Document, product: Document, line: Document) -> Document:
    label = _label(product, str(line["billingcycle"] or "").lower().replace("-", ""))
    override = hundredths(str(line["priceoverride"] or ""))
    quantity = max(integer(line["qty"] or ""), 1)
    price = (product["price"] if override is None else override) * quantity
    return new_service(
        whmcs, order["userid"], product, orderid=order["id"], qty=quantity, billingcycle=label,
        domain=str(line["domain"] or ""), firstpaymentamount=price,
        recurringamount=price if label in MONTHS else 0, paymentmethod=order["paymentmethod"],
        customfields=custom_fields(line["customfields"], product["customfields"]),
    )  # fmt: skip


def _finish_order(whmcs: Installation, order: Document, services: list[Document], request: Request) -> Document:
    items = [_invoice_line(whmcs, service) for service in services]
    order["amount"] = sum(item["amount"] for item in items)
    if order["amount"] and not request.flag("noinvoice"):
        invoice = new_invoice(
            whmcs, order["userid"], items, order_id=order["id"], paymentmethod=order["paymentmethod"]
        )  # fmt: skip
        order["invoiceid"] = invoice["id"]
        order["amount"] = balance_of(whmcs, invoice).total
    whmcs.save("order", order)
    ids = {"order_id": order["id"], "invoice_id": order["invoiceid"]}
    whmcs.hook("AfterShoppingCartCheckout", **{name: number for name, number in ids.items() if number})
    return {
        "orderid": str(order["id"]), "serviceids": ",".join(str(service["id"]) for service in services),
        "addonids": "", "domainids": "", "invoiceid": str(order["invoiceid"] or ""),
    }  # fmt: skip


def _label(product: Document, cycle: str) -> str:
    """Return the cycle of a new service: what was asked for, or else what the product has."""
    if product["paytype"] == "recurring":
        return LABELS.get(cycle, product.get("cycle", "Monthly"))
    return "Free Account" if product["paytype"] == "free" else "One Time"


def _invoice_line(whmcs: Installation, service: Document) -> Document:
    name = (whmcs.row("product", service["pid"]) or {"name": ""})["name"]
    recurring = service["billingcycle"] in MONTHS
    text = f"{name} {period(whmcs.today(), service['billingcycle'])}" if recurring else name
    line = {"type": "Hosting", "relid": service["id"], "description": text}
    return line | {"amount": service["firstpaymentamount"], "taxed": 1}


def _pending_order(whmcs: Installation, request: Request) -> Document:
    order = whmcs.row("order", request.number("orderid"))
    if order is None or order["status"] != "Pending":
        raise Refused("Order ID not found or Status not Pending")
    return order


def _set_status(whmcs: Installation, order: Document, status: str) -> None:
    whmcs.save("order", order | {"status": status})
    for service in whmcs.rows("service", orderid=order["id"]):
        whmcs.save("service", service | {"status": status})


def _order_shown(whmcs: Installation, order: Document) -> Document:
    client = whmcs.row("client", order["userid"]) or {"firstname": "", "lastname": ""}
    invoice = whmcs.row("invoice", order["invoiceid"])
    lines = [_line_shown(whmcs, service) for service in whmcs.rows("service", orderid=order["id"])]
    names = ("id", "ordernum", "userid", "date", "paymentmethod", "invoiceid", "status", "ipaddress", "promocode")
    empty = ("nameservers", "transfersecret", "renewals", "promotype", "promovalue", "orderdata", "fraudmodule")
    return {
        **{name: order[name] for name in names}, **dict.fromkeys(empty, ""),
        "contactid": 0, "requestor_id": client.get("owner_user_id", 0), "admin_requestor_id": 0,
        "renewalsByType": {"domains": [], "services": [], "addons": []}, "amount": decimal(order["amount"]),
        "paymentmethodname": GATEWAYS.get(order["paymentmethod"], ""),
        "paymentstatus": invoice["status"] if invoice else "Paid", "fraudoutput": "", "frauddata": "", "notes": "",
        "name": f"{client['firstname']} {client['lastname']}", "currencyprefix": PREFIX, "currencysuffix": SUFFIX,
        "validationdata": "", "lineitems": {"lineitem": lines},
    }  # fmt: skip


def _line_shown(whmcs: Installation, service: Document) -> Document:
    product = whmcs.row("product", service["pid"]) or {"name": "", "group": ""}
    return {
        "type": "product", "relid": service["id"], "producttype": "Other",
        "product": f"{product['group']} - {product['name']}", "domain": service["domain"],
        "billingcycle": service["billingcycle"].replace("One Time", "One-Time"),
        "amount": formatted(service["firstpaymentamount"]), "status": service["status"],
    }  # fmt: skip


ACTIONS = {
    "AddOrder": add_order,
    "AcceptOrder": accept_order,
    "CancelOrder": cancel_order,
    "PendingOrder": pending_order,
    "FraudOrder": fraud_order,
    "DeleteOrder": delete_order,
    "GetOrders": get_orders,
    "GetOrderStatuses": get_order_statuses,
}
