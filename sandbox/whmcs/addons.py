"""Product addons: what belongs to a service and is billed beside it. Only staff add them and change their status."""

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request
from sandbox.whmcs.money import decimal
from sandbox.whmcs.pay_methods import GATEWAYS

# What staff may do to an addon: its new status and the hook point.
STEPS = {
    "provision": ("Active", "AddonActivation"),
    "activate": ("Active", "AddonActivated"),
    "suspend": ("Suspended", "AddonSuspended"),
    "unsuspend": ("Active", "AddonUnsuspended"),
    "terminate": ("Terminated", "AddonTerminated"),
    "cancel": ("Cancelled", "AddonCancelled"),
}


def add_addon(whmcs: Installation, service: Document, name: str, recurring: int) -> Document:
    """Add an addon to a service, Pending; recurring in hundredths."""
    fields = {"userid": service["clientid"], "orderid": service["orderid"], "serviceid": service["id"], "name": name}
    dates = {"regdate": whmcs.today().isoformat(), "nextduedate": service["nextduedate"], "notes": ""}
    terms = {"billingcycle": "Monthly", "paymentmethod": service["paymentmethod"], "recurring": recurring}
    addon = whmcs.add("addon", {"qty": 1, "addonid": 0, "setupfee": 0, "status": "Pending", **fields, **dates, **terms})
    _fire(whmcs, "AddonAdd", addon)
    return addon


def step(whmcs: Installation, addon: Document, name: str) -> None:
    """Take one of STEPS."""
    status, event = STEPS[name]
    whmcs.save("addon", addon | {"status": status})
    _fire(whmcs, event, addon)


def get_clients_addons(whmcs: Installation, request: Request) -> Document:
    """GetClientsAddons, never paged: all numbers are texts, and filters that were not sent are empty texts."""
    rows = whmcs.rows("addon")
    if request.text("serviceid"):
        wanted = {part.strip() for part in request.text("serviceid").split(",")}
        rows = [row for row in rows if str(row["serviceid"]) in wanted]
    for name, field in (("clientid", "userid"), ("addonid", "addonid")):
        if request.text(name):
            rows = [row for row in rows if row[field] == request.number(name)]
    answer: Document = {name: request.text(name) for name in ("serviceid", "clientid")}
    answer["totalresults"] = str(len(rows))
    return answer | ({"addons": {"addon": [_shown(row) for row in rows]}} if rows else {})


def update_client_addon(whmcs: Installation, request: Request) -> Document:
    """UpdateClientAddon: status, name and notes; a new status fires its hook."""
    addon = whmcs.required("addon", request.number("id"), "Addon ID Not Found")
    changes = {name: request.text(name) for name in ("name", "notes") if request.has(name)}
    moved = [name for name, (status, _) in STEPS.items() if status == request.text("status") != addon["status"]]
    if not changes and not moved:
        raise Refused("Nothing to Update")
    addon |= changes
    whmcs.save("addon", addon)
    if moved:
        is_back = addon["status"] == "Suspended" and request.text("status") == "Active"
        step(whmcs, addon, "unsuspend" if is_back else "activate" if "activate" in moved else moved[0])
    return {"id": request.text("id")}


def _fire(whmcs: Installation, event: str, addon: Document) -> None:
    whmcs.hook(event, addon_id=addon["id"], client_id=addon["userid"], service_id=addon["serviceid"])


def _shown(addon: Document) -> Document:
    numbers = ("id", "qty", "userid", "orderid", "serviceid", "addonid")
    texts = ("name", "billingcycle", "status", "regdate", "nextduedate", "paymentmethod", "notes")
    shown: Document = {name: str(addon[name]) for name in numbers} | {name: addon[name] for name in texts}
    amounts = {name: decimal(addon[name]) for name in ("setupfee", "recurring")}
    gateway = {"paymentmethodname": GATEWAYS.get(addon["paymentmethod"], "")}
    return shown | amounts | {"tax": "", "nextinvoicedate": addon["nextduedate"]} | gateway


ACTIONS = {"GetClientsAddons": get_clients_addons, "UpdateClientAddon": update_client_addon}
