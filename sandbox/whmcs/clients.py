"""Client, user and sign-in actions of the API."""

import re
from collections import defaultdict

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request, custom_fields, page
from sandbox.whmcs.invoices import balance_of, cancel_invoice, is_overdue
from sandbox.whmcs.people import (
    CUSTOM_FIELDS,
    IDENTITY,
    PREFERENCES,
    client_by_email,
    client_shown,
    is_address,
    matches,
    new_client,
    new_user,
    stats_shown,
    user_by_email,
)
from sandbox.whmcs.staff import delete_client

_PHONE = re.compile(r"^[0-9+\-. ()]+$")
_REQUIRED = {
    "firstname": "You did not enter your first name",
    "lastname": "You did not enter your last name",
    "email": "You did not enter your email address",
    "address1": "You did not enter your  address line 1",
    "city": "You did not enter your city",
    "state": "You did not enter your state",
    "postcode": "You did not enter your postcode",
    "phonenumber": "You did not enter your phone number",
}
_SORTED_BY = {
    name: name for name in ("id", "firstname", "lastname", "companyname", "email", "datecreated", "groupid", "status")
}
_SWITCHES = (
    "latefeeoveride", "overideduenotices", "taxexempt", "separateinvoices", "disableautocc", "overrideautoclose",
)  # fmt: skip


def add_client(whmcs: Installation, request: Request) -> Document:
    """AddClient: a client and, without owner_user_id, its owner."""
    owner = whmcs.row("user", request.text("owner_user_id")) if request.has("owner_user_id") else None
    if request.has("owner_user_id") and owner is None:
        raise Refused("Invalid Owner User ID")
    _check_identity(request)
    email = request.text("email")
    if owner is None and user_by_email(whmcs, email):
        raise Refused("A user already exists with that email address")
    if client_by_email(whmcs, email):
        raise Refused("The email address entered is not available for use.")
    if owner is None and not request.text("password2"):
        raise Refused("You did not enter a password")
    fields = _identity(request) | {"customfields": custom_fields(request.fields.get("customfields"), CUSTOM_FIELDS)}
    owner = owner or new_user(whmcs, fields, request.text("password2"))
    client = new_client(whmcs, owner, fields)
    whmcs.hook("ClientAdd", client_id=client["id"], user_id=owner["id"])
    return {"clientid": str(client["id"]), "owner_id": owner["id"]}


def get_clients_details(whmcs: Installation, request: Request) -> Document:
    """GetClientsDetails by clientid or exact email, with the deprecated copies at the root."""
    if not request.text("clientid") and not request.text("email"):
        raise Refused("Either clientid Or email Is Required")
    by_id = request.text("clientid")
    client = whmcs.row("client", request.number("clientid")) if by_id else client_by_email(whmcs, request.text("email"))
    if client is None:
        raise Refused("Client Not Found")
    shown = client_shown(whmcs, client)
    answer: Document = {"client": shown}
    if request.flag("stats"):
        answer["stats"] = stats_shown(whmcs, client, _invoice_totals(whmcs, client["id"]))
    return answer | shown


def update_client(whmcs: Installation, request: Request) -> Document:
    """UpdateClient: only what was sent changes."""
    email = request.text("clientemail")
    by_id = request.has("clientid")
    client = whmcs.row("client", request.number("clientid")) if by_id else client_by_email(whmcs, email)
    if client is None:
        raise Refused("Client ID Not Found")
    if request.has("email"):
        _check_new_email(whmcs, client, request.text("email"))
    client |= _identity(request) | {name: request.flag(name) for name in _SWITCHES if request.has(name)}
    client["customfields"] |= custom_fields(request.fields.get("customfields"), CUSTOM_FIELDS)
    preferences = request.array("email_preferences")
    client["email_preferences"] |= {name: str(preferences[name]) for name in PREFERENCES if name in preferences}
    whmcs.save("client", client)
    whmcs.hook("ClientEdit", client_id=client["id"])
    return {"clientid": request.text("clientid") or str(client["id"])}


def get_clients(whmcs: Installation, request: Request) -> Document:
    """GetClients: prefix search over names and email."""
    wanted = request.text("search").lower()
    rows = [row for row in whmcs.rows("client") if matches(row, wanted)]
    if request.text("status"):
        rows = [row for row in rows if row["status"] == request.text("status")]
    order = _SORTED_BY.get(request.text("orderby"), "lastname")
    rows.sort(key=lambda row: row[order], reverse=request.text("sorting").upper() == "DESC")
    cut, counters = page(rows, request)
    names = ("id", "firstname", "lastname", "companyname", "email", "datecreated", "groupid", "status")
    return counters | {"clients": {"client": [{name: row[name] for name in names} for row in cut]}}


def close_client(whmcs: Installation, request: Request) -> Document:
    """CloseClient: services end and unpaid invoices are cancelled."""
    client = whmcs.required("client", request.number("clientid"), "Client ID Not Found")
    whmcs.hook("ClientClose", client_id=client["id"])
    client["status"] = "Closed"
    whmcs.save("client", client)
    for service in whmcs.rows("service", clientid=client["id"]):
        service["status"] = "Cancelled" if service["status"] == "Pending" else "Terminated"
        whmcs.save("service", service)
    for invoice in whmcs.rows("invoice", userid=client["id"], status="Unpaid"):
        cancel_invoice(whmcs, invoice)
    return {"clientid": request.text("clientid")}


def remove_client(whmcs: Installation, request: Request) -> Document:
    """DeleteClient: the client goes with everything of theirs."""
    client = whmcs.required("client", request.number("clientid"), "Client ID Not Found")
    delete_client(whmcs, client)
    return {"clientid": request.text("clientid")}


def _check_identity(request: Request) -> None:
    if not request.flag("skipvalidation"):
        for name, message in _REQUIRED.items():
            if not request.text(name):
                raise Refused(message)
        if not re.fullmatch("[A-Za-z]{2}", request.text("country")):
            raise Refused("Valid country required")
        if not _PHONE.match(request.text("phonenumber")):
            raise Refused("Invalid telephone phone number")
    if not request.text("email"):
        raise Refused(_REQUIRED["email"])
    if not is_address(request.text("email")):
        raise Refused("The email address you entered was not valid")


def _check_new_email(whmcs: Installation, client: Document, email: str) -> None:
    if not is_address(email):
        raise Refused("The email address entered is not valid")
    other = client_by_email(whmcs, email)
    if other and other["id"] != client["id"]:
        raise Refused("Duplicate Email Address")


def _identity(request: Request) -> Document:
    names = (*IDENTITY, "phonenumber", "tax_id", "notes", "language", "status")
    fields: Document = {name: request.text(name) for name in names if request.has(name)}
    if request.has("country"):
        fields["country"] = request.text("country").upper()
    if request.has("paymentmethod"):
        fields["defaultgateway"] = request.text("paymentmethod")
    if request.has("groupid"):
        fields["groupid"] = request.number("groupid")
    if request.has("marketingoptin"):
        fields["marketing"] = request.flag("marketingoptin")
    return fields


def _invoice_totals(whmcs: Installation, client_id: int) -> dict[str, list[int]]:
    totals: dict[str, list[int]] = defaultdict(list)
    for invoice in whmcs.rows("invoice", userid=client_id):
        owed = balance_of(whmcs, invoice)
        totals[invoice["status"]].append(owed.total if invoice["status"] == "Paid" else owed.balance)
        if is_overdue(whmcs, invoice):
            totals["Overdue"].append(owed.balance)
    return totals


ACTIONS = {
    "AddClient": add_client,
    "GetClientsDetails": get_clients_details,
    "UpdateClient": update_client,
    "GetClients": get_clients,
    "CloseClient": close_client,
    "DeleteClient": remove_client,
}
