"""What happens at WHMCS as days pass, and what staff do by API (WHMCS fact sheet 2.3, 2.5, 2.8)."""

import pytest

DAY = 86_400


@pytest.fixture
def whmcs(own_whmcs):
    """A sandbox whose clock may run away."""
    return own_whmcs


async def pass_days(whmcs, days: float) -> None:
    """Move the clock."""
    await whmcs.browser.post(f"{whmcs.office}/api/clock", json={"seconds": days * DAY})


async def active_service(whmcs, *, card: bool = True):
    """Return client and service id of an active service paid for a month, with a card unless told otherwise."""
    client = await whmcs.new_client()
    placed = await whmcs.new_order(client)
    await whmcs.call("AcceptOrder", orderid=placed["orderid"], autosetup="1")
    await whmcs.call("AddInvoicePayment", invoiceid=placed["invoiceid"], transid=f"c{client}", gateway="stripe")
    if card:
        fields = {"type": "RemoteCreditCard", "gateway_module_name": "stripe", "card_number": "4242424242424242"}
        await whmcs.call("AddPayMethod", clientid=client, card_expiry="1235", **fields)
    return client, placed["serviceids"]


async def service_of(whmcs, number):
    """Return a service's row."""
    return (await whmcs.call("GetClientsProducts", serviceid=number))["products"]["product"][0]


async def invoices_of(whmcs, client):
    """Return a client's invoices, newest first."""
    listed = await whmcs.call("GetInvoices", userid=client, orderby="id", order="desc")
    return listed["invoices"]["invoice"]


async def test_renewal_is_billed_two_weeks_ahead_once_and_charged_when_due(whmcs):
    client, service = await active_service(whmcs)
    due = (await service_of(whmcs, service))["nextduedate"]

    await pass_days(whmcs, 10)
    assert len(await invoices_of(whmcs, client)) == 1
    await pass_days(whmcs, 10)
    await pass_days(whmcs, 1)
    renewal, _ = await invoices_of(whmcs, client)
    assert (renewal["status"], renewal["duedate"], renewal["total"]) == ("Unpaid", due, "2750.00")
    await pass_days(whmcs, 11)

    paid = (await invoices_of(whmcs, client))[-2]
    assert (paid["id"], paid["status"]) == (renewal["id"], "Paid")
    assert (await service_of(whmcs, service))["nextduedate"] > due


async def test_renewal_without_a_card_stays_unpaid_and_becomes_overdue(whmcs):
    client, service = await active_service(whmcs, card=False)

    await pass_days(whmcs, 40)

    overdue = await whmcs.call("GetInvoices", userid=client, status="Overdue")
    assert overdue["totalresults"] == 1
    assert (await service_of(whmcs, service))["status"] == "Active"


async def test_an_unpaid_invoice_is_charged_again_each_day_unless_it_is_tried_only_once(whmcs):
    client = await whmcs.new_client()
    line = {"itemdescription1": "Data", "itemamount1": "1000", "itemtaxed1": "1"}
    created = await whmcs.call("CreateInvoice", userid=client, paymentmethod="stripe", **line)
    fields = {"type": "RemoteCreditCard", "gateway_module_name": "stripe", "card_number": "4242424242424242"}
    await whmcs.call("AddPayMethod", clientid=client, card_expiry="1235", **fields)

    async def status_after_a_day(special):
        await whmcs.browser.post(f"{whmcs.office}/api/faults/whmcs", json={"special": special})
        await pass_days(whmcs, 1)
        return (await whmcs.call("GetInvoice", invoiceid=created["invoiceid"]))["status"]

    assert await status_after_a_day({"attempt_only_once": 1}) == "Unpaid"
    assert await status_after_a_day({"capture_declined": -1}) == "Unpaid"
    assert await status_after_a_day({}) == "Paid"


async def test_instalments_are_billed_as_often_as_they_say_add_up_and_end(whmcs, own_receiver):
    client = await whmcs.new_client()
    await whmcs.call(
        "AddOrder", clientid=client, paymentmethod="stripe", **{"pid[0]": 243, "billingcycle[0]": "monthly"}
    )
    (placed,) = (await whmcs.call("GetOrders", userid=client))["orders"]["order"]
    await whmcs.call("AcceptOrder", orderid=placed["id"], autosetup="1")
    for _ in range(14):
        for invoice in await invoices_of(whmcs, client):
            if invoice["status"] == "Unpaid":
                paid = {"transid": f"i{invoice['id']}", "gateway": "stripe"}
                await whmcs.call("AddInvoicePayment", invoiceid=invoice["id"], **paid)
        await pass_days(whmcs, 31)
    billed = [float(invoice["subtotal"]) for invoice in await invoices_of(whmcs, client)]
    assert (len(billed), sum(billed)) == (12, 22800)
    (service,) = (await whmcs.call("GetClientsProducts", clientid=client))["products"]["product"]
    assert service["status"] == "Completed"
    await own_receiver.wait_for("ServiceRecurringCompleted", service_id=int(service["id"]))


async def test_cancellation_at_period_end_bills_no_more_and_ends_the_service_when_due(whmcs):
    client, service = await active_service(whmcs)
    await pass_days(whmcs, 20)

    await whmcs.call("AddCancelRequest", serviceid=service, type="End of Billing Period", reason="Moving")

    renewal, first = await invoices_of(whmcs, client)
    assert (renewal["status"], first["status"]) == ("Cancelled", "Paid")
    await pass_days(whmcs, 5)
    assert (await service_of(whmcs, service))["status"] == "Active"
    await pass_days(whmcs, 10)
    assert (await service_of(whmcs, service))["status"] == "Cancelled"
    assert len(await invoices_of(whmcs, client)) == 2


async def test_immediate_cancellation_is_carried_out_by_the_next_days_run(whmcs):
    _, service = await active_service(whmcs)

    await whmcs.call("AddCancelRequest", serviceid=service, type="Immediate", reason="Now")

    assert (await service_of(whmcs, service))["status"] == "Active"
    await pass_days(whmcs, 1)
    assert (await service_of(whmcs, service))["status"] == "Cancelled"


async def test_upgrade_charges_the_rest_of_the_period_and_applies_when_paid(whmcs):
    client, service = await active_service(whmcs)
    fields = {"serviceid": service, "paymentmethod": "stripe", "type": "product", "newproductid": "183"}

    quote = await whmcs.call("UpgradeProduct", **fields, calconly="1")
    made = await whmcs.call("UpgradeProduct", **fields)

    assert (quote["upgradeinprogress"], quote["price"]) == (0, made["price"])
    assert (await service_of(whmcs, service))["pid"] == "33"
    assert await whmcs.error("UpgradeProduct", **fields) == (
        "Unable to accept upgrade order. Previous upgrade invoice for service is still unpaid."
    )
    await whmcs.call("AddInvoicePayment", invoiceid=made["invoiceid"], transid=f"up{client}", gateway="stripe")
    assert (await service_of(whmcs, service))["pid"] == "183"
    wrong = await whmcs.error("UpgradeProduct", **fields | {"type": "paint"})
    assert wrong == "Invalid Upgrade Type"


async def test_modules_move_a_service_and_answer_in_their_own_words(whmcs, own_receiver):
    _, service = await active_service(whmcs)

    await whmcs.call("ModuleSuspend", serviceid=service, suspendreason="Unpaid")
    suspended = await service_of(whmcs, service)
    await whmcs.call("ModuleUnsuspend", accountid=service)
    running = await service_of(whmcs, service)
    await whmcs.call("ModuleTerminate", serviceid=service)

    assert (suspended["status"], suspended["suspensionreason"]) == ("Suspended", "Unpaid")
    assert (running["status"], running["suspensionreason"]) == ("Active", "")
    assert (await service_of(whmcs, service))["status"] == "Terminated"
    assert await whmcs.error("ModuleCreate") == "Service ID is required"
    assert await whmcs.error("ModuleCreate", serviceid=99999) == "Service ID not found"
    await own_receiver.wait_for("AfterModuleSuspend", service_id=int(service))
    await own_receiver.wait_for("AfterModuleTerminate", service_id=int(service))
    await whmcs.set_faults("whmcs", special={"module_fails": 1})
    assert await whmcs.error("ModuleCreate", serviceid=service) == "Could not connect to the provisioning server"


async def test_transaction_ids_are_unique_unless_told_otherwise(whmcs):
    client, _ = await active_service(whmcs)
    fields = {"userid": client, "paymentmethod": "stripe", "transid": f"x{client}", "amountin": "100"}

    await whmcs.call("AddTransaction", **fields)

    assert await whmcs.error("AddTransaction", **fields) == "Transaction ID must be Unique"
    assert (await whmcs.call("AddTransaction", **fields, allowduplicatetransid="1"))["result"] == "success"
    assert await whmcs.error("AddTransaction", **fields | {"invoiceid": 1}) == (
        "User ID does not own the given Invoice ID"
    )
    assert await whmcs.error("AddTransaction", **fields | {"paymentmethod": ""}) == "Payment Method is required"


async def test_orders_are_put_back_marked_and_deleted_in_three_spellings(whmcs):
    placed = await whmcs.new_order(await whmcs.new_client())
    order = placed["orderid"]

    assert await whmcs.error("DeleteOrder", orderid=order) == (
        "The order status must be in Cancelled or Fraud to be deleted"
    )
    await whmcs.call("FraudOrder", orderid=order)
    await whmcs.call("PendingOrder", orderid=order)
    await whmcs.call("CancelOrder", orderid=order)
    await whmcs.call("DeleteOrder", orderid=order)

    assert await whmcs.error("GetInvoice", invoiceid=placed["invoiceid"]) == "Invoice ID Not Found"
    assert await whmcs.error("PendingOrder", orderid=order) == "Order ID Not Found"
    assert await whmcs.error("DeleteOrder", orderid=order) == "Order ID not found"
    assert await whmcs.error("CancelOrder", orderid=order) == "Order ID not found or Status not Pending"


async def test_invoices_are_generated_on_request_for_what_is_due(whmcs):
    client, _ = await active_service(whmcs)
    await pass_days(whmcs, 20)

    again = await whmcs.call("GenInvoices", clientid=client)

    assert again["numcreated"] == 0
    assert await whmcs.error("GenInvoices", clientid=99999) == "Client ID Not Found"
