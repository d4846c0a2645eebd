"""The world's SIMs: plans, blank SIMs and lines at Freebit, the same blank SIMs in Salesforce's inventory."""

from datetime import datetime, time
from typing import Any, Protocol

from sandbox.freebit.fields import OFF, ON
from sandbox.freebit.network import TIMEZONE, VOICE_OPTIONS, Network, written
from sandbox.world_file import AddedData, BlankSim, Item, SimLine, WorldFile, day_of

_PLAN_KINDS = {"DataSmsVoice": "voice", "DataOnly": "data", "DataSms": "sms"}


class Rows(Protocol):
    """What seeding needs of the Salesforce sandbox's rows."""

    def create(self, object_name: str, fields: dict[str, Any]) -> str: ...
    def update(self, object_name: str, row_id: str, fields: dict[str, Any]) -> None: ...


def seed_sims(network: Network, salesforce: Rows, world: WorldFile) -> None:
    """Fill an empty network and the inventory."""
    for item in world.catalogue:
        if "Freebit_Plan_Code__c" in item.salesforce:
            _seed_plan(network, item)
    for sim in world.blank_sims:
        put_in_stock(network, salesforce, sim)
    for line in world.sim_lines:
        _seed_line(network, line)


def _seed_plan(network: Network, item: Item) -> None:
    fields = item.salesforce
    megabytes = int(str(fields.get("SIM_Data_Size__c", "0GB")).removesuffix("GB")) * 1024
    plan = {"code": fields["Freebit_Plan_Code__c"], "mb": megabytes}
    kind = _PLAN_KINDS.get(str(fields.get("SIM_Plan_Type__c")), "data")
    network.store.put("freebit.plan", plan["code"], plan | {"kind": kind, "voice": kind == "voice"})


def put_in_stock(network: Network, salesforce: Rows, sim: BlankSim) -> None:
    """Put a blank SIM into Freebit's stock and the inventory."""
    kind = "esim" if sim.type == "eSIM" else "physical"
    own = {"account": sim.phone_number, "productNumber": sim.product_number, "iccid": sim.iccid, "kind": kind}
    network.save_sim(own | {"state": "blank"})
    salesforce.create("SIM_Inventory__c", {
        "Phone_Number__c": sim.phone_number, "ICCID__c": sim.iccid or None,
        "Product_Number__c": sim.product_number or None, "SIM_Type__c": sim.type, "Status__c": sim.status,
    })  # fmt: skip


def _seed_line(network: Network, line: SimLine) -> None:
    started = datetime.combine(day_of(line.started, network.today()), time(10), TIMEZONE)
    network.open_line(
        line.phone_number, plan=line.plan_code, contract_line=line.network, iccid=line.iccid, eid=line.eid,
        product_number=line.product_number, state="active", kind="esim" if line.eid else "physical",
        started_at=started.isoformat(), talk={name: ON if name in line.voice else OFF for name in VOICE_OPTIONS},
        use=line.use.model_dump() if line.use else {}, top_ups=[_added(network, each) for each in line.top_ups],
    )  # fmt: skip


def _added(network: Network, data: AddedData) -> dict[str, str]:
    today = network.today()
    added = datetime.combine(day_of(data.added, today), time(10), TIMEZONE)
    expires = written(day_of(data.expires, today)) if data.expires else ""
    return {"quota": str(data.mb), "quotaCode": "", "at": added.isoformat(), "expire": expires}
