"""The checkout steps of a fibre order: confirmed address, connection, home phone and switching from another line."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, get_args

from portal_app.domain.catalog.plan import Plan
from portal_app.domain.checkout.answer_reader import AnswerReader
from portal_app.domain.checkout.installation import installation_choices
from portal_app.domain.checkout.options import INTERNET_OPTIONS, AccessMode, Installation, InternetOptions
from portal_app.domain.errors import InvalidInput

INTERNET_FIELDS: dict[Literal["address", "connection", "phone"], tuple[str, ...]] = {
    "address": ("confirmed", "address_id"),
    "connection": ("access_mode", "installation", "weekend"),
    "phone": ("home_phone", "line", "switch_number"),
}
# Home phone needs this access mode.
PHONE_MODE: AccessMode = "ipoe_home_gateway"
_SWITCH = re.compile(r"[FT]\d{10}", re.ASCII)
_NOT_HERE = "This plan is not available at your address, or your address was not checked yet."
_MOVED = "Your address changed since you confirmed it. Check it and confirm it again."
_NEEDS_GATEWAY = "Home phone needs the home gateway. Go back and choose IPoE with home gateway, or leave it out."
_NOT_SOLD = "This cannot be ordered at the moment. Choose something else."


def read_address(form: AnswerReader) -> dict[str, Any]:
    """Check that the plan is available at the address and that the customer confirmed this address."""
    is_confirmed = form.is_ticked("confirmed")
    if not form.rules.is_offered:
        form.errors["address"] = _NOT_HERE
    elif not is_confirmed:
        form.errors["confirmed"] = "Confirm that this is where the line is to be installed."
    elif not form.rules.address_id or form.text("address_id") != form.rules.address_id:
        form.errors["confirmed"] = _MOVED
    return {}


def read_connection(form: AnswerReader) -> dict[str, Any]:
    """Return access mode, installation payment and whether technicians come at the weekend."""
    return {
        "access_mode": form.one_of("access_mode", *get_args(AccessMode)),
        "installation": form.one_of("installation", *get_args(Installation)),
        "weekend": form.is_ticked("weekend"),
    }


def read_phone(form: AnswerReader, connection: Mapping[str, str]) -> dict[str, Any]:
    """Return whether home phone is ordered (it needs the home gateway) and the number of a line to switch over."""
    home_phone = form.is_ticked("home_phone")
    if home_phone and connection.get("access_mode") != PHONE_MODE:
        form.errors["home_phone"] = _NEEDS_GATEWAY
    switches = form.one_of("line", "new", "switch") == "switch"
    return {"home_phone": home_phone, "switch_number": form.parse("switch_number", _switch) or "" if switches else ""}


def internet_options(plan: Plan, read: Mapping[str, Any]) -> InternetOptions:
    """Return the options of a fibre line. Raises InvalidInput for options that the plan does not offer now."""
    options = InternetOptions(offering=plan.service.offering, tier=plan.service.tier, **read)
    wrong = {
        name: _NOT_SOLD
        for name, sku in INTERNET_OPTIONS.items()
        if getattr(options, name) and sku not in {item.sku for item in plan.extras}
    }
    if options.installation not in {choice.key for choice in installation_choices(plan)}:
        wrong["installation"] = _NOT_SOLD
    if wrong:
        raise InvalidInput(wrong)
    return options


def _switch(text: str) -> str:
    number = re.sub(r"[\s‐‑‒–—―−ー-]", "", unicodedata.normalize("NFKC", text)).upper()
    if not _SWITCH.fullmatch(number):
        raise ValueError("Enter the letter F or T and the ten digits that follow it.")
    return number
