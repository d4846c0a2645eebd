"""A world described in a TOML or JSON file: what is on sale, who has what. See docs/integrations/sandbox.md.

Every table refuses fields it does not know, so that a slip of the pen is told and not passed over.
"""

import json
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

DEFAULT_WORLD = Path(__file__).with_name("world.toml")
_RELATIVE = re.compile(r"(?:(\d+) days? ago|in (\d+) days?|today)")


class BadWorld(Exception):
    """The file cannot be used; the message names the line or the field at fault, one problem a line."""


def _checked_day(day: date | str) -> date | str:
    if isinstance(day, str) and not _RELATIVE.fullmatch(day):
        raise ValueError("a day is a date such as 2026-04-01, 'today', '40 days ago' or 'in 3 days'")
    return day


Day = Annotated[date | str, AfterValidator(_checked_day)]
Yen = Annotated[int, Field(ge=0)]
Status = Literal["Active", "Pending", "Suspended", "Terminated", "Cancelled", "Fraud", "Completed"]


Cycle = Literal[
    "Monthly", "Quarterly", "Semi-Annually", "Annually", "Biennially", "Triennially", "Onetime", "Free"
]  # fmt: skip


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Item(_Table):
    """One thing on sale: a product at WHMCS and, with two price book entries, at Salesforce.

    price: whole yen without tax. recurring_cycles: how often a monthly price is billed in all, 0: without end.
    module: whether WHMCS sets it up by a module; without one, accepting the order makes it Active.
    salesforce: further fields of Product2; lists and tables become JSON text.
    """

    sku: str = Field(min_length=1, max_length=180)
    whmcs_product_id: int = Field(gt=0)
    price: Yen
    name: str = Field(min_length=1, max_length=255)
    kind: Literal["Service", "Installation", "Add-on", "Activation"] = Field("Service", alias="class")
    cycle: Cycle = "Monthly"
    module: bool = True
    recurring_cycles: int = Field(0, ge=0)
    category: Literal["Internet", "SIM", "VPN", "Other"]
    salesforce: dict[str, Any] = {}


class Address(_Table):
    """Where a customer lives: in Latin script for WHMCS, in Japanese script for Salesforce."""

    address1: str = "1-1-1 Shibakoen"
    address2: str = "Sandbox Heights 101"
    city: str = "Minato-ku"
    state: str = "Tokyo"
    postcode: str = "105-0011"
    street_ja: str = "芝公園1丁目1-1 サンドボックスハイツ101"
    city_ja: str = "港区"
    state_ja: str = "東京都"


class Card(_Table):
    """A stored card. expiry: MMYY; left out, the December three years on."""

    number: str
    expiry: str = Field("", pattern=r"^(\d{4})?$")
    description: str = ""


class Service(_Table):
    """Something a customer has, bought by an order that both vendors know.

    invoices: the statuses of its invoices, one for each cycle from the start.
    """

    sku: str
    status: Status = "Active"
    started: Day = "today"
    invoices: list[Literal["Paid", "Unpaid"]] = []
    custom_fields: dict[str, str] = {}


class Line(_Table):
    """One line of an invoice; amount in yen without tax."""

    description: str
    amount: Yen


class Invoice(_Table):
    """An invoice that comes from no service."""

    made: Day = "today"
    due: Day = "today"
    status: Literal["Paid", "Unpaid"] = "Unpaid"
    lines: list[Line] = Field(min_length=1)


class Order(_Table):
    """An order that an agent has yet to decide, or has turned down."""

    skus: list[str] = Field(min_length=1)
    status: Literal["Pending Review", "Rejected", "Cancelled"] = "Pending Review"
    made: Day = "today"


class Use(_Table):
    """What a line uses: MB a day on average, a factor for each weekday from Monday on, how much days vary, a seed."""

    mean_mb: float = Field(gt=0)
    weekdays: Annotated[list[float], Field(min_length=7, max_length=7)] = [1.0] * 7
    variation: float = Field(0.5, ge=0, le=5)
    seed: int = 1


class AddedData(_Table):
    """Data added to a line, good until a day, otherwise until the end of the month."""

    mb: int = Field(gt=0)
    added: Day = "today"
    expires: Day | None = None


class SimLine(_Table):
    """A line that works at the SIM platform; what its customer has bought stands under the customer's services.

    voice: options that are on, in the platform's words. use: without it a steady pace of the line's own.
    """

    phone_number: str = Field(pattern=r"^0\d{9,10}$")
    plan_code: str
    iccid: str = ""
    eid: str = ""
    product_number: str = ""
    network: Literal["4G", "5G"] = "4G"
    started: Day = "today"
    voice: list[Literal["voiceMail", "callWaiting", "callTransfer", "worldWing"]] = []
    use: Use | None = None
    top_ups: list[AddedData] = []


class Customer(_Table):
    """One person, known to WHMCS as user and client and to Salesforce as account and contact."""

    number: str = Field(pattern=r"^[A-Za-z0-9-]{1,20}$")
    first_name: str
    last_name: str
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    phone: str = ""
    password: str = "walk-the-portal-1"
    two_factor: bool = False
    single_sign_on: bool = True
    credit: Yen = 0
    address: Address = Address()
    account: dict[str, Any] = {}
    contact: dict[str, Any] = {}
    cards: list[Card] = []
    services: list[Service] = []
    invoices: list[Invoice] = []
    orders: list[Order] = []


class Member(_Table):
    """Somebody who owns no client at WHMCS but may see a customer's."""

    first_name: str
    last_name: str
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    password: str = "walk-the-portal-1"
    customer: str
    permissions: list[str] = ["profile", "products", "invoices"]


class BlankSim(_Table):
    """A SIM in stock: blank at the SIM platform and a row of SIM_Inventory__c. An eSIM has no number of its own."""

    phone_number: str = Field(pattern=r"^0\d{9,10}$")
    type: Literal["Physical SIM", "eSIM"] = "Physical SIM"
    iccid: str = Field("", pattern=r"^(\d{18,20})?$")
    product_number: str = Field("", max_length=15)
    status: Literal["Available", "Assigned", "Retired"] = "Available"


class WorldFile(_Table):
    """All of it."""

    catalogue: list[Item] = []
    customers: list[Customer] = []
    members: list[Member] = []
    blank_sims: list[BlankSim] = []
    sim_lines: list[SimLine] = []

    @model_validator(mode="after")
    def _agree(self) -> "WorldFile":
        problems = [*_doubles("catalogue", "sku", [item.sku for item in self.catalogue])]
        ids = [str(item.whmcs_product_id) for item in self.catalogue]
        problems += _doubles("catalogue", "whmcs_product_id", ids)
        problems += _doubles("customers", "number", [one.number for one in self.customers])
        everybody = [one.email.lower() for one in [*self.customers, *self.members]]
        problems += _doubles("customers and members", "email", everybody)
        for place, member in enumerate(self.members):
            if member.customer not in {one.number for one in self.customers}:
                problems.append(f"members[{place}].customer: there is no customer {member.customer!r}")
        plans = {item.salesforce.get("Freebit_Plan_Code__c") for item in self.catalogue}
        for place, line in enumerate(self.sim_lines):
            if line.plan_code not in plans:
                problems.append(f"sim_lines[{place}].plan_code: {line.plan_code!r} belongs to nothing on sale")
        numbers = [sim.phone_number for sim in [*self.blank_sims, *self.sim_lines]]
        problems += _doubles("blank_sims and sim_lines", "phone_number", numbers)
        for place, customer in enumerate(self.customers):
            problems += self._unknown(f"customers[{place}]", customer)
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def item(self, sku: str) -> Item:
        """Return the item of a SKU that the file is known to have."""
        return next(item for item in self.catalogue if item.sku == sku)

    def _unknown(self, place: str, customer: Customer) -> list[str]:
        known = {item.sku for item in self.catalogue}
        named = [(f"{place}.services[{n}].sku", one.sku) for n, one in enumerate(customer.services)]
        for n, order in enumerate(customer.orders):
            named += [(f"{place}.orders[{n}].skus[{m}]", sku) for m, sku in enumerate(order.skus)]
        return [f"{field}: {sku!r} is not in the catalogue" for field, sku in named if sku not in known]


def read_world(path: Path) -> WorldFile:
    """Read a world from a .toml or .json file. Raises BadWorld."""
    try:
        text = path.read_text("utf-8")
        tables = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise BadWorld(f"{path}: {error.strerror}") from error
    except ValueError as error:  # both parsers name line and column in the message
        raise BadWorld(f"{path}: {error}") from error
    try:
        return WorldFile.model_validate(tables)
    except ValidationError as error:
        problems = "\n".join(_problem(each) for each in error.errors())
        raise BadWorld("\n".join(f"{path}: {line}" for line in problems.splitlines())) from error


def day_of(day: date | str, today: date) -> date:
    """Return the date a day of the file means."""
    if isinstance(day, date):
        return day
    match = _RELATIVE.fullmatch(day)
    ago, ahead = match.groups() if match else (None, None)
    return today + timedelta(days=int(ahead or 0) - int(ago or 0))


def _problem(error: Any) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "string_pattern_mismatch":
        message = f"{error['input']!r} has the wrong form ({error['ctx']['pattern']})"
    return f"{place}: {message}" if place else message


def _doubles(table: str, field: str, values: list[str]) -> list[str]:
    return [
        f"{table}[{place}].{field}: {value!r} stands here for the second time"
        for place, value in enumerate(values)
        if value in values[:place]
    ]
