"""SIM orders for tests: the fields in Salesforce for each kind of SIM."""

from datetime import date, timedelta
from typing import Any

from portal_app.domain.orders.order import Order
from tests.support.clients.portal_driver import Buyer, PortalDriver
from tests.support.waiting import until

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


async def reviewed(
    driver: PortalDriver, *, sku: str = DATA, sim: str = "Physical SIM", is_verified: bool = True, **fields: Any
) -> tuple[Buyer, Order]:
    """Return a SIM order that agents took for a customer of its own, as it appears here; a worker must run."""
    buyer = await driver.buyer()
    if is_verified and sku == VOICE:
        await driver.decide_identity(buyer)
    electronic = {"EID__c": EID} if sim == "eSIM" else {}
    wanted = {"SIM_Type__c": sim, "Activation_Type__c": "Immediate", "Order_Type__c": "SIM", **electronic, **fields}
    await driver.order_at_salesforce(buyer, sku=sku, **wanted)
    await until(lambda: driver.web.orders.orders_for(buyer.customer), "the agents' order appears")
    (order,) = await driver.web.orders.orders_for(buyer.customer)
    await until(lambda: driver.reviews_of(order), "Salesforce knows our id")
    return buyer, order
