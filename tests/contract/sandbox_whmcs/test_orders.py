"""Ordering and services (WHMCS fact sheet 2.5, 2.8)."""

import base64

import pytest


def serialized(field: int, value: str) -> str:
    """Return base64 of PHP's serialize(array(field => value))."""
    return base64.b64encode(f'a:1:{{i:{field};s:{len(value.encode())}:"{value}";}}'.encode()).decode()


async def test_order_waits_with_its_service_and_an_unpaid_invoice(whmcs):
    client = await whmcs.new_client()

    placed = await whmcs.new_order(client)

    assert all(isinstance(placed[name], str) for name in ("orderid", "serviceids", "invoiceid"))
    order = (await whmcs.call("GetOrders", id=placed["orderid"]))["orders"]["order"][0]
    assert (order["status"], order["paymentstatus"], len(order["ordernum"])) == ("Pending", "Unpaid", 10)
    invoice = await whmcs.call("GetInvoice", invoiceid=placed["invoiceid"])
    assert (invoice["subtotal"], invoice["tax"], invoice["total"]) == ("2500.00", "250.00", "2750.00")
    assert (invoice["taxrate"], invoice["transactions"]) == ("10.000", "")


async def test_our_reference_is_found_again_on_the_service(whmcs):
    client = await whmcs.new_client()
    products = (await whmcs.call("GetProducts", pid="33"))["products"]["product"]
    field = next(f for f in products[0]["customfields"]["customfield"] if f["name"] == "Portal Reference")

    await whmcs.new_order(client, **{"customfields[0]": serialized(field["id"], "order-7:0:1")})

    listed = await whmcs.call("GetClientsProducts", clientid=client)
    assert (listed["totalresults"], listed["numreturned"], listed["clientid"]) == ("1", 1, str(client))
    service = listed["products"]["product"][0]
    found = next(f for f in service["customfields"]["customfield"] if f["name"] == "Portal Reference")
    assert (found["value"], service["status"], service["orderid"]) == ("order-7:0:1", "Pending", service["orderid"])


async def test_client_without_services_gets_no_container(whmcs):
    listed = await whmcs.call("GetClientsProducts", clientid=await whmcs.new_client())

    assert listed["totalresults"] == "0"
    assert "products" not in listed


async def test_noinvoice_is_obeyed_and_recurring_and_one_time_items_are_distinguished(whmcs):
    client = await whmcs.new_client()

    placed = await whmcs.new_order(client, **{"pid[1]": "37", "billingcycle[1]": "onetime", "noinvoice": "1"})

    assert placed["invoiceid"] == ""
    rows = (await whmcs.call("GetClientsProducts", clientid=client))["products"]["product"]
    assert [(row["billingcycle"], row["recurringamount"]) for row in rows] == [
        ("Monthly", "2500.00"),
        ("One Time", "0.00"),
    ]


async def test_accepting_with_autosetup_activates_once(whmcs):
    client = await whmcs.new_client()
    placed = await whmcs.new_order(client)

    await whmcs.call("AcceptOrder", orderid=placed["orderid"], autosetup="1")

    service = (await whmcs.call("GetClientsProducts", serviceid=placed["serviceids"]))["products"]["product"][0]
    assert service["status"] == "Active"
    again = await whmcs.error("AcceptOrder", orderid=placed["orderid"], autosetup="1")
    assert again == "Order ID not found or Status not Pending"


async def test_accepting_without_autosetup_leaves_the_service_pending(whmcs):
    placed = await whmcs.new_order(await whmcs.new_client())

    await whmcs.call("AcceptOrder", orderid=placed["orderid"])

    service = (await whmcs.call("GetClientsProducts", serviceid=placed["serviceids"]))["products"]["product"][0]
    assert service["status"] == "Pending"


async def test_cancelling_an_order_cancels_its_parts(whmcs):
    placed = await whmcs.new_order(await whmcs.new_client())

    await whmcs.call("CancelOrder", orderid=placed["orderid"])

    assert (await whmcs.call("GetInvoice", invoiceid=placed["invoiceid"]))["status"] == "Cancelled"
    service = (await whmcs.call("GetClientsProducts", serviceid=placed["serviceids"]))["products"]["product"][0]
    assert service["status"] == "Cancelled"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clientid": 99999}, "Client ID Not Found"),
        ({"paymentmethod": "gold"}, "Invalid Payment Method. Valid options include stripe,banktransfer,mailin"),
        ({"pid[0]": "99999"}, "No items added to cart so order cannot proceed"),
    ],
)
async def test_order_that_cannot_be_is_refused(whmcs, fields, message):
    complete = {"clientid": 1, "paymentmethod": "stripe", "pid[0]": "33"}

    assert await whmcs.error("AddOrder", **(complete | fields)) == message


async def test_service_record_can_be_edited(whmcs):
    placed = await whmcs.new_order(await whmcs.new_client())
    service = placed["serviceids"]

    await whmcs.call("UpdateClientProduct", serviceid=service, notes="hi", customfields=serialized(331, "006xx"))
    row = (await whmcs.call("GetClientsProducts", serviceid=service))["products"]["product"][0]

    assert (row["notes"], row["customfields"]["customfield"][1]["value"]) == ("hi", "006xx")
    assert await whmcs.error("UpdateClientProduct", serviceid=99999) == "Service ID Not Found"


async def test_one_cancellation_request_is_open_per_service(whmcs):
    placed = await whmcs.new_order(await whmcs.new_client())
    wish = {"serviceid": placed["serviceids"], "type": "End of Billing Period", "reason": "Moving"}

    await whmcs.call("AddCancelRequest", **wish)

    assert await whmcs.error("AddCancelRequest", **wish) == "Existing Cancellation Request Exists"
    listed = await whmcs.call("GetCancelledPackages", limitnum="1000")
    assert listed["packages"]["package"][-1]["relid"] == placed["serviceids"]
    assert isinstance(listed["numreturned"], str)
