"""The questions of a fibre order: the address and that it is right, the connection, home phone and an earlier line."""

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
# Home phone runs over the home gateway.
PHONE_MODE: AccessMode = "ipoe_home_gateway"
_SWITCH = re.compile(r"[FT]\d{10}", re.ASCII)
_NOT_HERE = "This plan is not available at your address, or your address was not checked yet."
_MOVED = "Your address changed since you confirmed it. Check it and confirm it again."
_NEEDS_GATEWAY = "Home phone needs the home gateway. Go back and choose IPoE with home gateway, or leave it out."
_NOT_SOLD = "This cannot be ordered at the moment. Choose something else."


def read_address(form: AnswerReader) -> dict[str, Any]:
    """Check that the plan can be had at the address, and that the customer said it is the right one."""
    is_confirmed = form.is_ticked("confirmed")
    if not form.rules.is_offered:
        form.wrong["address"] = _NOT_HERE
    elif not is_confirmed:
        form.wrong["confirmed"] = "Confirm that this is where the line is to be installed."
    elif not form.rules.address_id or form.text("address_id") != form.rules.address_id:
        form.wrong["confirmed"] = _MOVED
    return {}


def read_connection(form: AnswerReader) -> dict[str, Any]:
    """Read how the line is used and how its installation is paid."""
    return {
        "access_mode": form.one_of("access_mode", *get_args(AccessMode)),
        "installation": form.one_of("installation", *get_args(Installation)),
        "weekend": form.is_ticked("weekend"),
    }


def read_phone(form: AnswerReader, connection: Mapping[str, str]) -> dict[str, Any]:
    """Read whether a home phone is wanted, which excludes other ways to connect, and which line is switched over."""
    home_phone = form.is_ticked("home_phone")
    if home_phone and connection.get("access_mode") != PHONE_MODE:
        form.wrong["home_phone"] = _NEEDS_GATEWAY
    switches = form.one_of("line", "new", "switch") == "switch"
    return {"home_phone": home_phone, "switch_number": form.read("switch_number", _switch) or "" if switches else ""}


def internet_options(plan: Plan, read: Mapping[str, Any]) -> InternetOptions:
    """Return the options of a line. Raises InvalidInput for what the plan has not, or has not now."""
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
