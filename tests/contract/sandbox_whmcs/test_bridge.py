"""The signed bridge events (WHMCS fact sheet 3.2)."""

import json
import re
import time
import uuid

from sandbox.whmcs.bridge import BRIDGED
from tests.contract.sandbox_whmcs.conftest import ROOT
from tests.support.vendors.hook_receiver import is_signed


async def test_event_carries_ids_only_and_a_signature(whmcs, receiver):
    client = await whmcs.new_client()

    [(headers, body)] = await receiver.wait_for("ClientAdd", client_id=client)

    event = json.loads(body)
    assert event.keys() == {"id", "event", "occurred_at", "source", "api_version", "data"}
    assert (event["id"], event["source"], event["api_version"]) == (headers["x-whmcs-delivery"], whmcs.site, 1)
    assert event["data"].keys() == {"client_id", "user_id"}
    assert uuid.UUID(event["id"]).version == 4
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert (headers["user-agent"], headers["x-whmcs-key"], headers["x-whmcs-attempt"]) == ("whmcs-bridge/1", "k1", "1")
    assert abs(time.time() - int(headers["x-whmcs-timestamp"])) < 30
    assert is_signed(headers, body)


async def test_order_and_its_payment_fire_their_events(whmcs, receiver):
    client = await whmcs.new_client()
    placed = await whmcs.new_order(client)
    order, service, invoice = (int(placed[name]) for name in ("orderid", "serviceids", "invoiceid"))

    await whmcs.call("AcceptOrder", orderid=order, autosetup="1")
    await whmcs.call("AddInvoicePayment", invoiceid=invoice, transid="x", gateway="stripe")
    await whmcs.call("UpdateClientProduct", serviceid=service, notes="x")
    await whmcs.call("AddCancelRequest", serviceid=service)
    await whmcs.call("UpdateClient", clientid=client, notes="x")

    await receiver.wait_for("InvoiceCreated", invoice_id=invoice)
    await receiver.wait_for("AcceptOrder", order_id=order)
    await receiver.wait_for("AfterModuleCreate", service_id=service, client_id=client, product_id=33)
    await receiver.wait_for("AddInvoicePayment", invoice_id=invoice)
    await receiver.wait_for("InvoicePaid", invoice_id=invoice)
    await receiver.wait_for("OrderPaid", order_id=order, client_id=client, invoice_id=invoice)
    await receiver.wait_for("ServiceEdit", service_id=service, client_id=client)
    await receiver.wait_for("CancellationRequest", service_id=service, client_id=client)
    await receiver.wait_for("ClientEdit", client_id=client)


async def test_refused_delivery_is_sent_again_under_the_same_id(whmcs, receiver):
    await receiver.wait_for("ClientAdd", client_id=await whmcs.new_client())
    receiver.answers[:] = [500]
    client = await whmcs.new_client()
    await receiver.wait_for("ClientAdd", client_id=client)

    await whmcs.browser.post(f"{whmcs.office}/api/clock", json={"seconds": 61})

    first, second = await receiver.wait_for("ClientAdd", count=2, client_id=client)
    assert first[0]["x-whmcs-delivery"] == second[0]["x-whmcs-delivery"]
    assert (first[0]["x-whmcs-attempt"], second[0]["x-whmcs-attempt"]) == ("1", "2")
    assert first[1] == second[1]
    assert is_signed(*second)


async def test_gone_stops_everything_until_the_world_is_reset(own_whmcs, own_receiver):
    own_receiver.answers[:] = [410]
    await own_receiver.wait_for("ClientAdd", client_id=await own_whmcs.new_client())
    own_receiver.deliveries.clear()

    await own_whmcs.new_client()
    await own_whmcs.browser.post(f"{own_whmcs.office}/api/reset")
    await own_receiver.wait_for("ClientAdd", client_id=await own_whmcs.new_client())

    assert len(own_receiver.deliveries) == 1


async def test_saboteur_spoils_one_signature(whmcs, receiver, set_faults):
    await receiver.wait_for("ClientAdd", client_id=await whmcs.new_client())
    await set_faults("whmcs", special={"wrong_signature": 1})

    spoilt, whole = await whmcs.new_client(), await whmcs.new_client()

    assert not is_signed(*(await receiver.wait_for("ClientAdd", client_id=spoilt))[0])
    assert is_signed(*(await receiver.wait_for("ClientAdd", client_id=whole))[0])


async def test_saboteur_sends_one_event_twice(whmcs, receiver, set_faults):
    await receiver.wait_for("ClientAdd", client_id=await whmcs.new_client())
    await set_faults("whmcs", special={"duplicate_webhook": 1})

    client = await whmcs.new_client()

    first, second = await receiver.wait_for("ClientAdd", count=2, client_id=client)
    assert first[0]["x-whmcs-delivery"] == second[0]["x-whmcs-delivery"]


async def test_refund_and_cancellation_in_the_back_office_send_events(whmcs, receiver):
    client = await whmcs.new_client()
    paid, open_one = [int((await whmcs.new_order(client))["invoiceid"]) for _ in range(2)]

    for invoice, action in ((paid, "pay"), (paid, "refund"), (open_one, "cancel")):
        await whmcs.browser.post(f"{whmcs.office}/api/invoices/{invoice}/{action}")

    await receiver.wait_for("InvoiceRefunded", invoice_id=paid)
    await receiver.wait_for("InvoiceCancelled", invoice_id=open_one)


async def test_what_only_staff_do_fires_its_hooks(whmcs, receiver):
    staff = whmcs.staff
    client, heir = await whmcs.new_client(), await whmcs.new_client()
    placed = await whmcs.new_order(client, **{"pid[1]": "33"})
    order, invoice = int(placed["orderid"]), int(placed["invoiceid"])
    one, other = (int(number) for number in placed["serviceids"].split(","))
    lines = (await whmcs.call("GetInvoice", invoiceid=invoice))["items"]["item"]

    split = (await staff("invoices", invoice, "split", lines=[lines[1]["id"]]))["id"]
    fined = await staff("invoices", split, "late-fee", amount=500)
    addon = (await staff("services", one, "addon", name="Fixed IP", recurring=300))["id"]
    steps = {"provision": "Activation", "activate": "Activated", "suspend": "Suspended", "unsuspend": "Unsuspended"}
    steps |= {"terminate": "Terminated", "cancel": "Cancelled"}
    for step in steps:
        await staff("addons", addon, step)
    shown = await whmcs.call("GetClientsAddons", serviceid=f"{one},{other}")
    await staff("services", one, "options", recurring=2900)
    await staff("services", other, "delete")
    await whmcs.call("AddInvoicePayment", invoiceid=invoice, transid="t", gateway="stripe")
    await staff("orders", order, "cancel-and-refund")
    await staff("clients", client, "merge", into=heir)
    await whmcs.call("DeleteClient", clientid=heir)

    await receiver.wait_for("AfterShoppingCartCheckout", order_id=order, invoice_id=invoice)
    await receiver.wait_for("InvoiceSplit", invoice_id=invoice, new_invoice_id=split)
    await receiver.wait_for("AddInvoiceLateFee", invoice_id=split)
    for event in ("Add", *steps.values()):
        await receiver.wait_for(f"Addon{event}", addon_id=addon, client_id=client, service_id=one)
    await receiver.wait_for("AfterConfigOptionsUpgrade")
    await receiver.wait_for("ServiceDelete", client_id=client, service_id=other)
    await receiver.wait_for("CancelAndRefundOrder", order_id=order)
    await receiver.wait_for("AfterClientMerge", client_id=heir, merged_client_id=client)
    await receiver.wait_for("PreDeleteClient", client_id=heir)
    assert [line["amount"] for line in fined["items"]] == [250000, 50000]
    (row,) = shown["addons"]["addon"]
    assert (row["recurring"], row["status"], row["serviceid"]) == ("300.00", "Cancelled", str(one))
    assert await whmcs.error("GetInvoice", invoiceid=invoice) == "Invoice ID Not Found"
    assert await whmcs.error("DeleteClient", clientid=heir) == "Client ID Not Found"


def test_every_hook_that_the_portal_listens_to_is_fired_somewhere():
    written = "\n".join(path.read_text() for path in (ROOT / "sandbox" / "whmcs").glob("*.py"))

    assert BRIDGED - set(re.findall(r'"(\w+)"', written)) == set()
