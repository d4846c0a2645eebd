"""Which change events are the portal's own writes coming back."""

from typing import Any

import pytest

from portal_app.domain.ports.event_stream import StreamEvent
from portal_app.services.inbound.own_changes import is_own_change

OURS = "com/salesforce/api/rest/62.0;client=portal"
OWN = {
    "entityName": "Order", "changeType": "UPDATE", "changeOrigin": OURS, "nulledFields": ["Activation_Error_Code__c"],
    "changedFields": ["Activation_Status__c", "LastModifiedDate"], "recordIds": ["801xx0000000001AAA"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "is_own"),
    [
        ({}, True),
        ({"changedFields": ["WHMCS_Order_ID__c"], "nulledFields": None}, True),
        # By an agent, by a flow, by another program, by a program with a longer name.
        ({"changeOrigin": ""}, False),
        ({"changeOrigin": None}, False),
        ({"changeOrigin": "com/salesforce/api/rest/62.0;client=portalx"}, False),
        # A flow added to our write, or may have.
        ({"changedFields": ["Activation_Status__c", "Description"]}, False),
        ({"nulledFields": ["SIM_Type__c"]}, False),
        ({"changedFields": [], "nulledFields": []}, False),
        ({"changeType": "CREATE"}, False),
        ({"changeType": "GAP_UPDATE"}, False),
        ({"entityName": "Account"}, False),
    ],
)
def test_only_updates_of_orders_in_fields_of_the_portal_are_its_own(changes: dict[str, Any], is_own: bool) -> None:
    event = StreamEvent("/data/OrderChangeEvent", "1", b"1", {"ChangeEventHeader": OWN | changes})
    assert is_own_change(event) is is_own


def test_what_has_no_header_is_nobodys() -> None:
    assert not is_own_change(StreamEvent("/event/Provision__e", "1", b"1", {"OrderId__c": "801xx0000000001AAA"}))
    assert not is_own_change(StreamEvent("/data/OrderChangeEvent", "1", b"1", {}, undecodable=True))
