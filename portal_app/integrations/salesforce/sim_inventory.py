"""SIM orders and the SIM inventory in Salesforce: implements SimInventoryGateway."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from portal_app.domain.checkout.options import SimOptions, SimType
from portal_app.domain.errors import NotFound, OrderStopped
from portal_app.domain.identifiers import salesforce_id
from portal_app.domain.orders.sim_order import SimOrder, StockSim
from portal_app.domain.sim.sim import Gender, Person, PortIn, parse_eid, parse_sim_account
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.order_fields import SIM_PLAN_KINDS, SIM_TYPES
from portal_app.integrations.salesforce.responses import read_each, understood
from portal_app.language.format import JAPAN

_FIELDS = (
    "SIM_Type__c", "EID__c", "SIM_Voice_Mail__c", "SIM_Call_Waiting__c", "Activation_Type__c",
    "Activation_Scheduled_At__c", "MNP_Application__c", "MNP_Reservation_Number__c", "MNP_Expiry_Date__c",
    "MNP_Phone_Number__c", "Porting_LastName__c", "Porting_FirstName__c", "Porting_LastName_Katakana__c",
    "Porting_FirstName_Katakana__c", "Porting_Gender__c", "Porting_DateOfBirth__c",
)  # fmt: skip
_PLANS = (
    "SELECT Id, PricebookEntry.Product2.Freebit_Plan_Code__c, PricebookEntry.Product2.SIM_Plan_Type__c "
    "FROM OrderItem WHERE OrderId = {order}"
)
_SIM = ("Id", "Phone_Number__c", "ICCID__c", "Product_Number__c", "Status__c", "Assigned_Order__c")
_SIMS = " ".join(("SELECT", ", ".join(_SIM), "FROM SIM_Inventory__c WHERE "))
_FREE = "Status__c = 'Available' AND Assigned_Order__c = null AND SIM_Type__c = {type} ORDER BY Name LIMIT 50"
_GENDERS: dict[str, Gender] = {"f": "F", "w": "F", "m": "M"}


class SalesforceSimInventory:
    """Read what a SIM order asks for and assign SIMs."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    async def sim_order(self, sf_order_id: str) -> SimOrder:
        """Return what a SIM order asks for. Raises NotFound, and OrderStopped where it lacks something."""
        row = await self._client.read("Order", sf_order_id, _FIELDS)
        items = await self._client.query(_PLANS, order=sf_order_id)
        with understood("read SIM order"):
            return sim_order_of(row, [_product_of(item) for item in items])

    async def assigned_to(self, sf_order_id: str) -> StockSim | None:
        """Return the SIM that the inventory has assigned to an order, or None."""
        found = await self._client.query(_SIMS + "Assigned_Order__c = {order} ORDER BY Name LIMIT 1", order=sf_order_id)
        if found and not _is_number(found[0].get("Phone_Number__c")):
            raise NotFound("a SIM without a proper number")
        with understood("find SIM"):
            return _sim_of(found[0]) if found else None

    async def available(self, sim_type: SimType) -> list[StockSim]:
        """Return unassigned SIMs, oldest first, at most fifty; one without a proper number is left out."""
        found = await self._client.query(_SIMS + _FREE, type=SIM_TYPES[sim_type])
        return read_each(found, _sim_of, listing="SIM inventory")

    async def assign(self, stock_id: str, *, sf_order_id: str, sf_account_id: str) -> None:
        """Assign a SIM to an order. Safe to repeat; it does not check that the SIM is free: see `available`."""
        taken = {
            "Status__c": "Assigned",
            "Assigned_Order__c": salesforce_id(sf_order_id),
            "Assigned_Account__c": salesforce_id(sf_account_id),
        }
        await self._client.update("SIM_Inventory__c", stock_id, taken)

    async def give_back(self, stock_id: str, *, is_used: bool) -> None:
        """Take a SIM from its order: Available again, or Retired where a line was opened on it. Safe to repeat."""
        status = "Retired" if is_used else "Available"
        free = {"Status__c": status, "Assigned_Order__c": None, "Assigned_Account__c": None}
        await self._client.update("SIM_Inventory__c", stock_id, free)


def sim_order_of(row: Mapping[str, Any], products: list[Mapping[str, Any]]) -> SimOrder:
    """Read an order with the products of its lines. Raises OrderStopped: the text names no personal data."""
    plan = next((product for product in products if product.get("Freebit_Plan_Code__c")), None)
    if plan is None:
        raise OrderStopped("No product of the order has a Freebit plan code.", code="PLAN_CODE_MISSING")
    kind = next((ours for ours, theirs in SIM_TYPES.items() if theirs == row.get("SIM_Type__c")), None)
    if kind is None:
        raise OrderStopped("SIM_Type__c is neither Physical SIM nor eSIM.", code="SIM_TYPE_MISSING")
    plan_kind = SIM_PLAN_KINDS.get(str(plan.get("SIM_Plan_Type__c")), "data")
    has_voice = plan_kind == "voice"
    holder = _holder(row)
    if has_voice and holder is None:
        raise OrderStopped(
            "Fill in whose voice line it is: names, katakana, gender, birth date.", code="HOLDER_MISSING"
        )
    is_ported, opens_at = bool(row.get("MNP_Application__c")), _scheduled(row)
    options = SimOptions(
        sim_type=kind,
        has_voice=has_voice,
        eid=_eid(row) if kind == "esim" else "",
        activate_on=opens_at.astimezone(JAPAN).date() if opens_at else None,
        holder=holder,
        number=_number(row.get("MNP_Phone_Number__c")) if is_ported else "",
        port_in=_port_in(row, holder) if is_ported else None,
        voice_mail=bool(row.get("SIM_Voice_Mail__c")),
        call_waiting=bool(row.get("SIM_Call_Waiting__c")),
    )
    return SimOrder(options, str(plan["Freebit_Plan_Code__c"]), opens_at, plan_kind)


def _product_of(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return (item.get("PricebookEntry") or {}).get("Product2") or {}


def _eid(row: Mapping[str, Any]) -> str:
    try:
        return parse_eid(str(row.get("EID__c") or ""))
    except ValueError as error:
        raise OrderStopped(f"EID__c is {error}.", code="EID_INVALID") from error


def _number(value: object) -> str:
    try:
        return parse_sim_account(str(value or ""))
    except ValueError as error:
        raise OrderStopped("MNP_Phone_Number__c is no mobile number.", code="PORT_IN_INVALID") from error


def _is_number(value: object) -> bool:
    try:
        return bool(parse_sim_account(str(value or "")))
    except ValueError:
        return False


def _holder(row: Mapping[str, Any]) -> Person | None:
    gender = _GENDERS.get(str(row.get("Porting_Gender__c") or "")[:1].lower())
    names = ("LastName", "FirstName", "LastName_Katakana", "FirstName_Katakana")
    parts = [str(row.get(f"Porting_{name}__c") or "").strip() for name in names]
    try:
        born = date.fromisoformat(str(row.get("Porting_DateOfBirth__c") or ""))
    except ValueError:
        return None
    if gender is None or not all(parts):
        return None
    last, first, last_kana, first_kana = parts
    return Person(last, first, last_kana, first_kana, gender, born)


def _port_in(row: Mapping[str, Any], holder: Person | None) -> PortIn:
    if holder is None:
        raise OrderStopped("Fill in who holds the number that comes along.", code="PORT_IN_INVALID")
    try:
        expires = date.fromisoformat(str(row.get("MNP_Expiry_Date__c") or ""))
        return PortIn(holder, str(row.get("MNP_Reservation_Number__c") or ""), expires)
    except ValueError as error:
        raise OrderStopped("The reservation number or its last day is missing.", code="PORT_IN_INVALID") from error


def _scheduled(row: Mapping[str, Any]) -> datetime | None:
    if row.get("Activation_Type__c") != "Scheduled":
        return None
    try:
        return datetime.fromisoformat(str(row.get("Activation_Scheduled_At__c") or ""))
    except ValueError as error:
        raise OrderStopped("Activation_Scheduled_At__c is missing.", code="SCHEDULE_MISSING") from error


def _sim_of(row: Mapping[str, Any]) -> StockSim:
    if not _is_number(row.get("Phone_Number__c")):
        raise ValueError("Phone_Number__c is no mobile number")
    return StockSim(
        id=salesforce_id(str(row["Id"])),
        number=_number(row.get("Phone_Number__c")),
        iccid=str(row.get("ICCID__c") or ""),
        product_number=str(row.get("Product_Number__c") or ""),
        order_id=str(row.get("Assigned_Order__c") or ""),
    )
