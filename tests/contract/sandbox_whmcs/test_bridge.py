"""The signed bridge events (WHMCS fact sheet 3.2)."""

import json
import time
import uuid

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
