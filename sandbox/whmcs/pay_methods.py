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
    return whmcs.add("paymethod", {
        "clientid": client_id, "type": "RemoteCreditCard", "description": description, "gateway_name": "stripe",
        "card_last_four": digits[-4:], "expiry_date": f"{expiry[:2]}/{expiry[2:]}", "card_type": _brand(digits),
        "remote_token": token, "declines": digits == DECLINING_CARD, "last_updated": whmcs.stamp(),
    })  # fmt: skip


def charge(whmcs: Installation, client_id: int, pay_method_id: int | None = None) -> bool:
    """Say whether the client's card (the newest, unless one is named) takes the charge."""
    cards = [row for row in whmcs.rows("paymethod", clientid=client_id) if row["type"] == "RemoteCreditCard"]
    if pay_method_id is not None:
        cards = [row for row in cards if row["id"] == pay_method_id]
    return bool(cards) and not cards[-1]["declines"] and _is_current(whmcs, cards[-1]["expiry_date"].replace("/", ""))


def get_pay_methods(whmcs: Installation, request: Request) -> Document:
    """GetPayMethods: a flat list; the filter CreditCard covers both kinds of card."""
    if not request.text("clientid"):
        raise Refused("Client ID Is Required")
    kind = request.text("type")
    if kind not in ("", "BankAccount", "CreditCard"):
        raise Refused("Invalid Pay Method Type. Should be 'BankAccount' or 'CreditCard'")
    if whmcs.row("client", request.number("clientid")) is None:
        raise Refused("Client Not Found")
    rows = whmcs.rows("paymethod", clientid=request.number("clientid"))
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
    return {"clientid": request.text("clientid"), "paymethodid": str(row["id"])}


def delete_pay_method(whmcs: Installation, request: Request) -> Document:
    """DeletePayMethod, with the only ownership check of the whole API."""
    for name, message in (("clientid", "Client ID is Required"), ("paymethodid", "Pay Method ID is Required")):
        if not request.text(name):
            raise Refused(message)
    row = whmcs.row("paymethod", request.number("paymethodid"))
    if row is None:
        raise Refused("Invalid Pay Method ID")
    if row["clientid"] != request.number("clientid"):
        raise Refused("Pay Method does not belong to passed Client ID")
    whmcs.remove("paymethod", row["id"])
    return {"clientid": request.text("clientid"), "paymethodid": request.text("paymethodid")}


def get_payment_methods(whmcs: Installation, request: Request) -> Document:
    """GetPaymentMethods: the gateways' system names."""
    rows = [{"module": module, "displayname": name} for module, name in GATEWAYS.items()]
    return {"totalresults": len(rows), "paymentmethods": {"paymentmethod": rows}}


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
    return whmcs.add("paymethod", {
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
        shown |= {name: row[name] for name in ("card_last_four", "expiry_date", "card_type")}
        shown |= {"start_date": "", "issue_number": ""}
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
    "DeletePayMethod": delete_pay_method,
    "GetPaymentMethods": get_payment_methods,
}
