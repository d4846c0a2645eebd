"""SIM orders for tests: what the checkout writes into Salesforce for each kind of SIM."""

from datetime import date, timedelta
from typing import Any

from portal_app.domain.order import Order
from tests.faults.shop import Buyer, Shop

DATA, VOICE = "SIM-DATA-ONLY-5GB", "SIM-DATA-VOICE-5GB"
EID = "89049032000000000000000000000066"
HOLDER = {
    "Porting_LastName__c": "田中",
    "Porting_FirstName__c": "愛子",
    "Porting_LastName_Katakana__c": "タナカ",
    "Porting_FirstName_Katakana__c": "アイコ",
    "Porting_Gender__c": "Female",
    "Porting_DateOfBirth__c": "1990-04-01",
}
VOICE_OPTIONS = {"SIM_Voice_Mail__c": True, "SIM_Call_Waiting__c": True}


def ported(number: str) -> dict[str, Any]:
    """Return the fields of a number that comes along."""
    return {
        **HOLDER,
        "MNP_Application__c": True,
        "MNP_Phone_Number__c": number,
        "MNP_Reservation_Number__c": "1234567890",
        "MNP_Expiry_Date__c": str(date.today() + timedelta(days=12)),
    }


async def reviewed(shop: Shop, *, sku: str = DATA, sim: str = "Physical SIM", **fields: Any) -> tuple[Buyer, Order]:
    """Return a SIM order of a customer of its own, waiting for review; a worker must run."""
    buyer = await shop.buyer()
    order = await shop.place(buyer, sku=sku)
    await shop.wait_for_stage(order, "in_review")
    electronic = {"EID__c": EID} if sim == "eSIM" else {}
    await shop.edit_review(order, SIM_Type__c=sim, Activation_Type__c="Immediate", **electronic, **fields)
    return buyer, order
