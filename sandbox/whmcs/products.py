"""Products and the services clients hold of them."""

import re

from sandbox.store import Document
from sandbox.whmcs.installation import NO_DATE, NO_TIME, Installation, Refused, Request, custom_fields, page
from sandbox.whmcs.invoices import cancel_invoice
from sandbox.whmcs.money import CURRENCY_CODE, PREFIX, SUFFIX, decimal, hundredths
from sandbox.whmcs.pay_methods import GATEWAYS

REFERENCE_FIELD = "Portal Reference"
LABELS = {
    "free": "Free Account", "onetime": "One Time", "monthly": "Monthly", "quarterly": "Quarterly",
    "semiannually": "Semi-Annually", "annually": "Annually", "biennially": "Biennially", "triennially": "Triennially",
}  # fmt: skip
_CYCLES = ("monthly", "quarterly", "semiannually", "annually", "biennially", "triennially")
_SETUPS = ("msetupfee", "qsetupfee", "ssetupfee", "asetupfee", "bsetupfee", "tsetupfee")
_TEXTS = (
    "domain", "nextduedate", "regdate", "status", "notes", "subscriptionid", "dedicatedip", "assignedips", "ns1",
    "ns2", "paymentmethod", "overideautosuspend", "overidesuspenduntil", "terminationdate", "diskusage", "disklimit",
    "bwusage", "bwlimit",
)  # fmt: skip
_RENAMED = {"serviceusername": "username", "servicepassword": "password", "suspendreason": "suspensionreason"}


def new_product(whmcs: Installation, pid: int, **fields: object) -> Document:
    """Insert a product: name, gid, group, paytype, price in hundredths, cycle, customfields {id: name}, module."""
    product: Document = {
        "id": pid,
        "description": "",
        "module": "autorelease",
        "cycle": "Monthly",
        "stock": None,
        **fields,
    }
    whmcs.save("product", product)
    return product


def new_service(whmcs: Installation, client_id: int, product: Document, **fields: object) -> Document:
    """Insert a service of a product for a client, Pending unless the fields say otherwise."""
    today = whmcs.today().isoformat()
    defaults: Document = {
        "clientid": client_id, "orderid": 0, "pid": product["id"], "qty": 1, "regdate": today, "domain": "",
        "firstpaymentamount": product["price"], "recurringamount": product["price"], "paymentmethod": "stripe",
        "billingcycle": "Monthly", "nextduedate": today, "status": "Pending", "username": "", "password": "",
        "customfields": {}, "notes": "", "suspensionreason": "", "subscriptionid": "", "dedicatedip": "", "ns1": "",
        "ns2": "", "assignedips": "", "overideautosuspend": "", "overidesuspenduntil": NO_DATE, "diskusage": "0",
        "disklimit": "0", "bwusage": "0", "bwlimit": "0",
    }  # fmt: skip
    return whmcs.add("service", defaults | fields)


def get_products(whmcs: Installation, request: Request) -> Document:
    """GetProducts, filtered by pid (one or several, comma separated), group and module."""
    rows = whmcs.rows("product")
    if request.text("pid"):
        wanted = {part.strip() for part in request.text("pid").split(",")}
        rows = [row for row in rows if str(row["id"]) in wanted]
    if request.text("gid"):
        rows = [row for row in rows if row["gid"] == request.number("gid")]
    if request.text("module"):
        rows = [row for row in rows if row["module"] == request.text("module")]
    answer: Document = {"totalresults": len(rows)}
    return answer | ({"products": {"product": [_product_shown(whmcs, row) for row in rows]}} if rows else {})


def get_clients_products(whmcs: Installation, request: Request) -> Document:
    """GetClientsProducts: ids and totalresults are texts; unknown ids give no rows."""
    rows = whmcs.rows("service")
    for name, field in (("clientid", "clientid"), ("serviceid", "id"), ("pid", "pid")):
        if request.text(name):
            rows = [row for row in rows if row[field] == request.number(name)]
    for name, field in (("domain", "domain"), ("username2", "username")):
        if request.text(name):
            rows = [row for row in rows if row[field] == request.text(name)]
    cut, counters = page(rows, request)
    echoed = {name: request.fields.get(name) for name in ("clientid", "serviceid", "pid", "domain")}
    answer = echoed | counters | {"totalresults": str(len(rows))}
    return answer | ({"products": {"product": [_service_shown(whmcs, row) for row in cut]}} if cut else {})


def update_client_product(whmcs: Installation, request: Request) -> Document:
    """UpdateClientProduct: edits the record only, no module runs."""
    service = whmcs.required("service", request.number("serviceid"), "Service ID Not Found")
    service |= {name: request.text(name) for name in _TEXTS if request.has(name)}
    service |= {field: request.text(name) for name, field in _RENAMED.items() if request.has(name)}
    for name in ("firstpaymentamount", "recurringamount"):
        amount = hundredths(request.text(name))
        service |= {} if amount is None else {name: amount}
    if request.has("billingcycle"):
        cycle = request.text("billingcycle").lower().replace("-", "").replace(" ", "")
        service["billingcycle"] = LABELS.get(cycle, service["billingcycle"])
    if whmcs.row("product", request.number("pid")):
        service["pid"] = request.number("pid")
    for name in map(str, request.array("unset").values()):
        field = _RENAMED.get(name, name)
        service |= {field: ""} if field in service and name in (*_TEXTS, *_RENAMED) else {}
    known = (whmcs.row("product", service["pid"]) or {}).get("customfields", {})
    service["customfields"] |= custom_fields(request.fields.get("customfields"), known)
    whmcs.save("service", service)
    whmcs.hook("ServiceEdit", client_id=service["clientid"], service_id=service["id"])
    return {"serviceid": request.text("serviceid")}


def add_cancel_request(whmcs: Installation, request: Request) -> Document:
    """AddCancelRequest: one open request per service; the service's status stays."""
    service = whmcs.required("service", request.number("serviceid"), "Service ID Not Found")
    if whmcs.rows("cancellation", relid=service["id"]):
        raise Refused("Existing Cancellation Request Exists")
    kind = request.text("type") if request.text("type") == "End of Billing Period" else "Immediate"
    wish = {"relid": service["id"], "reason": request.text("reason"), "type": kind, "date": whmcs.stamp()}
    whmcs.add("cancellation", wish | {"executed": False})
    _cancel_renewals(whmcs, service)
    whmcs.hook("CancellationRequest", client_id=service["clientid"], service_id=service["id"])
    return {"serviceid": request.text("serviceid"), "userid": str(service["clientid"])}


def _cancel_renewals(whmcs: Installation, service: Document) -> None:
    """Cancel what this service alone would still cost; what was due before is owed all the same."""
    for invoice in whmcs.rows("invoice", userid=service["clientid"], status="Unpaid"):
        is_its_own = {item["relid"] for item in invoice["items"]} == {service["id"]}
        if is_its_own and invoice["duedate"] > whmcs.today().isoformat():
            cancel_invoice(whmcs, invoice)


def get_cancelled_packages(whmcs: Installation, request: Request) -> Document:
    """GetCancelledPackages: everything, as texts, without a client filter."""
    cut, counters = page(whmcs.rows("cancellation"), request)
    names = ("id", "date", "relid", "reason", "type")
    rows = [
        {name: str(row[name]) for name in names} | {"created_at": row["date"], "updated_at": row["date"]} for row in cut
    ]
    answer: Document = {name: str(number) for name, number in counters.items()}
    return answer | ({"packages": {"package": rows}} if rows else {})


def _product_shown(whmcs: Installation, product: Document) -> Document:
    pid = product["id"]
    known = product["customfields"].items()
    fields = [{"id": int(key), "name": name, "description": "", "required": ""} for key, name in known]
    slug = re.sub(r"[^a-z0-9]+", "-", product["name"].lower()).strip("-")
    return {
        "pid": pid, "gid": product["gid"], "type": "other", "name": product["name"], "slug": slug,
        "product-url": f"{whmcs.url}/store/{slug}", "description": product["description"],
        "module": product["module"], "paytype": product["paytype"], "allowqty": 0, "quantity_available": 0,
        "pricing": {CURRENCY_CODE: _pricing(product)}, "customfields": {"customfield": fields},
        "configoptions": {"configoption": []},
    }  # fmt: skip


def _pricing(product: Document) -> Document:
    cells = {"prefix": PREFIX, "suffix": SUFFIX} | dict.fromkeys(_SETUPS, "0.00") | dict.fromkeys(_CYCLES, "-1.00")
    # The price of what is paid once stands under monthly.
    cell = product.get("cycle", "Monthly").lower().replace("-", "")
    return cells | {cell if cell in _CYCLES else "monthly": decimal(product["price"])}


def _service_shown(whmcs: Installation, service: Document) -> Document:
    product = whmcs.row("product", service["pid"]) or {"name": "", "group": "", "customfields": {}}
    order = whmcs.row("order", service["orderid"]) or {"ordernum": ""}
    values = service["customfields"]
    fields = [
        {"id": key, "name": name, "translated_name": name, "value": values.get(key, "")}
        for key, name in product["customfields"].items()
    ]

    def own(*names: str) -> Document:
        return {name: service[name] for name in names}

    # In the documented order: a reader of the raw JSON should not be able to tell.
    return {
        **{name: str(service[name]) for name in ("id", "qty", "clientid", "orderid")},
        "ordernumber": order["ordernum"], "pid": str(service["pid"]), **own("regdate"), "name": product["name"],
        "translated_name": product["name"], "groupname": product["group"], "translated_groupname": product["group"],
        **own("domain", "dedicatedip"), "serverid": "0", "servername": "", "serverip": "", "serverhostname": "",
        **own("suspensionreason"), "firstpaymentamount": decimal(service["firstpaymentamount"]),
        "recurringamount": decimal(service["recurringamount"]), **own("paymentmethod"),
        "paymentmethodname": GATEWAYS.get(service["paymentmethod"], ""),
        **own("billingcycle", "nextduedate", "status", "username", "password", "subscriptionid"), "promoid": "0",
        **own("overideautosuspend", "overidesuspenduntil", "ns1", "ns2", "assignedips", "notes", "diskusage"),
        **own("disklimit", "bwusage", "bwlimit"), "lastupdate": NO_TIME, "customfields": {"customfield": fields},
        "configoptions": {"configoption": []},
    }  # fmt: skip


ACTIONS = {
    "GetProducts": get_products,
    "GetClientsProducts": get_clients_products,
    "UpdateClientProduct": update_client_product,
    "AddCancelRequest": add_cancel_request,
    "GetCancelledPackages": get_cancelled_packages,
}
