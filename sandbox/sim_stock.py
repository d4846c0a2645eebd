"""The seeded SIMs: plans and blank SIMs at Freebit, the same SIMs in Salesforce's inventory, and one living line."""

from datetime import timedelta

from sandbox.freebit.network import Network
from sandbox.freebit.registration import iccid
from sandbox.world import CATALOGUE, Rows

LIVING_ACCOUNT = "07039990099"
LIVING_PLAN = "PASI_V10G"
_PHYSICAL, _ELECTRONIC = 8, 6


def seed_sims(network: Network, salesforce: Rows) -> None:
    """Fill an empty network; a seeded one is left alone. All of it is one transaction."""
    with network.store.transaction():
        if network.store.all("freebit.plan"):
            return
        for code, size, kind in sorted({_plan(item.fields) for item in CATALOGUE if "SIM_Plan_Type__c" in item.fields}):
            plan = {"code": code, "mb": int(size.removesuffix("GB")) * 1024, "voice": kind == "DataSmsVoice"}
            network.store.put("freebit.plan", code, plan)
        for place in range(_PHYSICAL + _ELECTRONIC):
            _seed_sim(network, salesforce, place)
        network.open_line(
            LIVING_ACCOUNT, plan=LIVING_PLAN, contract_line="5G", iccid=iccid(99), state="active",
            product_number="AX0000000000099", started_at=(network.clock.now() - timedelta(days=40)).isoformat(),
        )  # fmt: skip


def _plan(fields: dict[str, str]) -> tuple[str, str, str]:
    return fields["Freebit_Plan_Code__c"], fields["SIM_Data_Size__c"], fields["SIM_Plan_Type__c"]


def _seed_sim(network: Network, salesforce: Rows, place: int) -> None:
    number, is_electronic = f"070399900{place:02}", place >= _PHYSICAL
    product = "" if is_electronic else f"AX{place:013}"
    own = "" if is_electronic else iccid(place)
    sim = {"account": number, "productNumber": product, "iccid": own, "kind": "esim" if is_electronic else "physical"}
    network.save_sim(sim | {"state": "blank"})
    salesforce.create("SIM_Inventory__c", {
        "Phone_Number__c": number, "ICCID__c": own or None, "Product_Number__c": product or None,
        "SIM_Type__c": "eSIM" if is_electronic else "Physical SIM", "Status__c": "Available",
    })  # fmt: skip
