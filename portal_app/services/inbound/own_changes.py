"""Changes that the portal wrote to Salesforce itself and that come back as events.

An update of an order by the portal is a step of its provisioning: that goes on by itself, and has written its rows,
invalidated what other processes have cached and told open pages before its event comes. Such events ask for no work.

All others are read, also where the portal caused them. A flow of the org may add to a write of ours within its
transaction, under our name: to a new order, or to an account whose address changed. So an update counts as our own only
while it names no field but those that provisioning writes.
"""

from collections.abc import Mapping
from typing import Any

from portal_app.domain.ports.event_stream import StreamEvent

CALLER = "portal"
_WRITTEN = frozenset(
    {
        "Status",
        "Activation_Status__c",
        "Activation_Error_Code__c",
        "Activation_Error_Message__c",
        "WHMCS_Order_ID__c",
        "Portal_Order_Id__c",
        # By Salesforce, at every write.
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
    }
)


def is_own_change(event: StreamEvent) -> bool:
    """Return whether an event tells of an update of orders by the portal, and of nothing else."""
    header: Mapping[str, Any] = event.payload.get("ChangeEventHeader") or {}
    if event.undecodable or header.get("entityName") != "Order" or header.get("changeType") != "UPDATE":
        return False
    client = str(header.get("changeOrigin") or "").partition(";client=")[2]
    names = {*(header.get("changedFields") or ()), *(header.get("nulledFields") or ())}
    return client == CALLER and bool(names) and names <= _WRITTEN
