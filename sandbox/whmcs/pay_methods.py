"""Stored cards and bank accounts, the gateways and the actions on them. Card numbers are never kept."""

import re
import secrets

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request
from sandbox.whmcs.php import json_encode

GATEWAYS = {"stripe": "Credit Card", "banktransfer": "Bank Transfer", "mailin": "Mail In Payment"}
TOKEN_GATEWAYS = ("stripe",)
REFUSED_CARD = "4000000000000002"
DECLINING_CARD = "4000000000000341"
_NEEDS = "is required for 'CreditCard' or 'RemoteCreditCard' type"
_WRONG_TYPE = "Invalid Pay Method Type. Type should be one of 'BankAccount', 'CreditCard', or 'RemoteCreditCard'"
_DETAILS = (
    "description", "card_number", "card_expiry", "card_start", "card_issue_number", "bank_name", "bank_account_type",
    "bank_code", "bank_account", "set_as_default",
)  # fmt: skip
_BRANDS = (("4", "Visa"), ("5", "MasterCard"), ("34", "American Express"), ("37", "American Express"), ("35", "JCB"))


class CardRefused(Exception):
    """The card cannot be stored; the message is for the person who typed it."""


def store_card(whmcs: Installation, client_id: int, number: str, expiry: str, *, description: str = "") -> Document:
    """Keep a card as a token. expiry: MMYY. Raises CardRefused."""
    digits = re.sub(r"[\s-]", "", number)
    if not _is_card_number(digits):
        raise CardRefused("The card number is not valid.")
    if not _is_current(whmcs, expiry):
        raise CardRefused("The expiry date is not valid or has passed.")
    if digits == REFUSED_CARD:
        raise CardRefused("The card was declined by its bank.")
    token = json_encode({"customer": f"cus_{client_id}", "method": f"pm_{secrets.token_hex(8)}"})
    return _keep(whmcs, {
        "clientid": client_id, "type": "RemoteCreditCard", "description": description, "gateway_name": "stripe",
        "card_last_four": digits[-4:], "expiry_date": f"{expiry[:2]}/{expiry[2:]}", "card_type": _brand(digits),
        "remote_token": token, "declines": digits == DECLINING_CARD, "last_updated": whmcs.stamp(),
    })  # fmt: skip


def stored(whmcs: Installation, client_id: int) -> list[Document]:
    """Return a client's cards and banks: the default one first, then oldest first."""
    return sorted(whmcs.rows("paymethod", clientid=client_id), key=lambda row: (not row["is_default"], row["id"]))


def charge(whmcs: Installation, client_id: int, pay_method_id: int | None = None) -> bool:
    """Say whether the client's card (the default one, unless one is named) takes the charge."""
    cards = [row for row in stored(whmcs, client_id) if row["type"] == "RemoteCreditCard"]
    if pay_method_id is not None:
        cards = [row for row in cards if row["id"] == pay_method_id]
    return bool(cards) and not cards[0]["declines"] and _is_current(whmcs, cards[0]["expiry_date"].replace("/", ""))


def make_default(whmcs: Installation, row: Document) -> None:
    """Make a stored method the one that is charged."""
    for other in whmcs.rows("paymethod", clientid=row["clientid"]):
        whmcs.save("paymethod", other | {"is_default": other["id"] == row["id"]})
    row["is_default"] = True


def remove(whmcs: Installation, row: Document) -> None:
    """Delete a stored method; the oldest of the others takes a default's place."""
    whmcs.remove("paymethod", row["id"])
    left = stored(whmcs, row["clientid"])
    if row["is_default"] and left:
        make_default(whmcs, left[0])
    whmcs.hook("CCUpdate", client_id=row["clientid"])


def get_pay_methods(whmcs: Installation, request: Request) -> Document:
    """GetPayMethods: a flat list; the filter CreditCard covers both kinds of card."""
    if not request.text("clientid"):
        raise Refused("Client ID Is Required")
    kind = request.text("type")
    if kind not in ("", "BankAccount", "CreditCard"):
        raise Refused("Invalid Pay Method Type. Should be 'BankAccount' or 'CreditCard'")
    if whmcs.row("client", request.number("clientid")) is None:
        raise Refused("Client Not Found")
    rows = stored(whmcs, request.number("clientid"))
    if request.has("paymethodid"):
        rows = [row for row in rows if row["id"] == request.number("paymethodid")]
    return {"clientid": request.text("clientid"), "paymethods": [_shown(row) for row in rows if kind in row["type"]]}


def add_pay_method(whmcs: Installation, request: Request) -> Document:
    """AddPayMethod for remote cards and bank accounts; no local card gateway is enabled."""
    if not request.text("clientid"):
        raise Refused("Client ID Is Required")
    if whmcs.row("client", request.number("clientid")) is None:
        raise Refused("Invalid Client ID")
    kind = request.text("type", "CreditCard")
    if kind not in ("BankAccount", "CreditCard", "RemoteCreditCard"):
        raise Refused(_WRONG_TYPE)
    row = _add_bank_account(whmcs, request) if kind == "BankAccount" else _add_card(whmcs, request, kind)
    if request.flag("set_as_default"):
        make_default(whmcs, row)
    return {"clientid": request.text("clientid"), "paymethodid": str(row["id"])}


def update_pay_method(whmcs: Installation, request: Request) -> Document:
    """UpdatePayMethod: name, expiry and default; the number of a card kept at its gateway cannot change here."""
    row = _own(whmcs, request, ("paymethodid", "clientid"))
    if not any(request.has(name) for name in _DETAILS):
        raise Refused("No Details Provided for Update")
    if request.text("card_number"):
        raise Refused("Unable to Update Card Number for Assisted Gateway")
    expiry = request.text("card_expiry")
    if expiry and not _is_current(whmcs, expiry):
        raise Refused("Expiry Date is invalid")
    row |= {"expiry_date": f"{expiry[:2]}/{expiry[2:]}"} if expiry and row["type"] == "RemoteCreditCard" else {}
    row |= {name: request.text(name) for name in ("description", "bank_name") if request.has(name) and name in row}
    whmcs.save("paymethod", row | {"last_updated": whmcs.stamp()})
    if request.flag("set_as_default"):
        make_default(whmcs, row)
    whmcs.hook("CCUpdate", client_id=row["clientid"])
    return {"clientid": request.text("clientid"), "paymethodid": request.text("paymethodid")}


def delete_pay_method(whmcs: Installation, request: Request) -> Document:
    """DeletePayMethod, with the only ownership check of the whole API."""
    remove(whmcs, _own(whmcs, request, ("clientid", "paymethodid")))
    return {"clientid": request.text("clientid"), "paymethodid": request.text("paymethodid")}


def get_payment_methods(whmcs: Installation, request: Request) -> Document:
    """GetPaymentMethods: the gateways' system names."""
    rows = [{"module": module, "displayname": name} for module, name in GATEWAYS.items()]
    return {"totalresults": len(rows), "paymentmethods": {"paymentmethod": rows}}


def _own(whmcs: Installation, request: Request, order: tuple[str, str]) -> Document:
    labels = {"clientid": "Client ID is Required", "paymethodid": "Pay Method ID is Required"}
    for name in order:
        if not request.text(name):
            raise Refused(labels[name])
    row = whmcs.required("paymethod", request.number("paymethodid"), "Invalid Pay Method ID")
    if row["clientid"] != request.number("clientid"):
        raise Refused("Pay Method does not belong to passed Client ID")
    return row


def _keep(whmcs: Installation, fields: Document) -> Document:
    is_first = not whmcs.rows("paymethod", clientid=fields["clientid"])
    row = whmcs.add("paymethod", fields | {"is_default": is_first})
    whmcs.hook("CCUpdate", client_id=row["clientid"])
    return row


def _add_card(whmcs: Installation, request: Request, kind: str) -> Document:
    gateway = request.text("gateway_module_name")
    if kind == "CreditCard":
        raise Refused("No Local Credit Card Payment Gateways Enabled")
    if not gateway:
        raise Refused("Gateway is Required for RemoteCreditCard type")
    if gateway not in GATEWAYS:
        raise Refused(f"Invalid Gateway Module Name. Must be one of: {', '.join(TOKEN_GATEWAYS)}")
    if gateway not in TOKEN_GATEWAYS:
        raise Refused("Unsupported Gateway Type for Storage")
    for name, label in (("card_number", "Card Number"), ("card_expiry", "Expiry Date")):
        if not request.text(name):
            raise Refused(f"{label} {_NEEDS}")
    if not _is_current(whmcs, request.text("card_expiry")):
        raise Refused("Expiry Date is invalid")
    number, expiry = request.text("card_number"), request.text("card_expiry")
    try:
        return store_card(whmcs, request.number("clientid"), number, expiry, description=request.text("description"))
    except CardRefused as error:
        raise Refused(f"Error Creating Remote Token: {error}") from error


def _add_bank_account(whmcs: Installation, request: Request) -> Document:
    if not request.text("gateway_module_name"):
        raise Refused("Gateway is Required for Bank Account Storage")
    for name, label in (("bank_code", "Routing"), ("bank_account", "Account")):
        if not request.text(name):
            raise Refused(f"{label} number is required")
    return _keep(whmcs, {
        "clientid": request.number("clientid"), "type": "RemoteBankAccount", "remote_token": "",
        "description": request.text("description"), "gateway_name": request.text("gateway_module_name"),
        "bank_name": request.text("bank_name"), "last_updated": whmcs.stamp(),
    })  # fmt: skip


def _shown(row: Document) -> Document:
    day, time = row["last_updated"].split(" ")
    shown = {
        "id": row["id"], "type": row["type"], "description": row["description"], "gateway_name": row["gateway_name"],
        "contact_type": "Client", "contact_id": row["clientid"],
    }  # fmt: skip
    if row["type"] == "RemoteCreditCard":
        shown |= {"card_last_four": row["card_last_four"], "expiry_date": row["expiry_date"]}
        shown |= {"start_date": "", "issue_number": "", "card_type": row["card_type"]}
    else:
        shown["bank_name"] = row["bank_name"]
    updated = f"{'/'.join(reversed(day.split('-')))} {time[:5]}"
    return shown | {"remote_token": row["remote_token"], "last_updated": updated}


def _is_current(whmcs: Installation, expiry: str) -> bool:
    if not re.fullmatch(r"(0[1-9]|1[0-2])[0-9]{2}", expiry):
        return False
    today = whmcs.today()
    return (2000 + int(expiry[2:]), int(expiry[:2])) >= (today.year, today.month)


def _is_card_number(digits: str) -> bool:
    if not re.fullmatch(r"[0-9]{13,19}", digits):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _brand(digits: str) -> str:
    return next((brand for start, brand in _BRANDS if digits.startswith(start)), "Card")


ACTIONS = {
    "GetPayMethods": get_pay_methods,
    "AddPayMethod": add_pay_method,
    "UpdatePayMethod": update_pay_method,
    "DeletePayMethod": delete_pay_method,
    "GetPaymentMethods": get_payment_methods,
}
