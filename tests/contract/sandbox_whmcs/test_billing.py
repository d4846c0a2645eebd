"""Invoices, payments, credit and cards (WHMCS fact sheet 2.3, 2.4, 2.8)."""

import pytest


@pytest.fixture
async def client(whmcs):
    """Somebody new."""
    return await whmcs.new_client()


@pytest.fixture
async def invoice(whmcs, client):
    """An unpaid invoice over 1,100 yen."""
    line = {"itemdescription1": "Data top-up", "itemamount1": "1000", "itemtaxed1": "1"}
    created = await whmcs.call("CreateInvoice", userid=client, paymentmethod="stripe", **line)
    assert (type(created["invoiceid"]), created["status"]) == (int, "Unpaid")
    return created["invoiceid"]


async def add_card(whmcs, client, number="4242424242424242", **more):
    """Store a test card and return its id."""
    fields = {"type": "RemoteCreditCard", "gateway_module_name": "stripe", "card_number": number, "card_expiry": "1235"}
    return (await whmcs.call("AddPayMethod", clientid=client, **fields, **more))["paymethodid"]


async def test_partial_payment_leaves_the_invoice_unpaid(whmcs, invoice):
    await whmcs.call("AddInvoicePayment", invoiceid=invoice, transid="t1", gateway="stripe", amount="100.00")

    shown = await whmcs.call("GetInvoice", invoiceid=invoice)
    assert (shown["status"], shown["balance"]) == ("Unpaid", "1000.00")
    assert shown["transactions"]["transaction"][0]["amountin"] == "100.00"


async def test_payment_without_amount_settles_and_surplus_becomes_credit(whmcs, client, invoice):
    await whmcs.call("AddInvoicePayment", invoiceid=invoice, transid="t1", gateway="stripe", amount="1500")

    shown = await whmcs.call("GetInvoice", invoiceid=invoice)
    assert (shown["status"], shown["datepaid"] > "2000") == ("Paid", True)
    credits = await whmcs.call("GetCredits", clientid=client)
    assert (credits["totalresults"], credits["credits"]["credit"][0]["amount"]) == ("1", "400.00")


async def test_credit_pays_and_is_logged(whmcs, client, invoice):
    await whmcs.call("AddCredit", clientid=client, description="Goodwill", amount="2000")

    applied = await whmcs.call("ApplyCredit", invoiceid=invoice, amount="1100.00")

    assert (applied["amount"], applied["invoicepaid"]) == ("1100.00", "true")
    rows = (await whmcs.call("GetCredits", clientid=client))["credits"]["credit"]
    assert (rows[-1]["amount"], rows[-1]["description"]) == ("-1100.00", f"Credit Applied to Invoice #{invoice}")
    assert (await whmcs.call("GetInvoice", invoiceid=invoice))["total"] == "0.00"


async def test_credit_errors_are_the_documented_ones(whmcs, client, invoice):
    assert await whmcs.error("ApplyCredit", invoiceid=invoice, amount="0") == (
        "Credit Amount to apply must be greater than zero"
    )
    assert await whmcs.error("ApplyCredit", invoiceid=invoice, amount="5") == "Amount exceeds customer credit balance"
    assert await whmcs.error("AddCredit", clientid=client, amount="1,5", description="x") == (
        "Amount must be in decimal format: ### or ###.##"
    )


async def test_capture_needs_a_card_that_pays(whmcs, client, invoice):
    assert await whmcs.error("CapturePayment", invoiceid=invoice) == "Payment Attempt Failed"
    assert (await whmcs.call("GetInvoice", invoiceid=invoice))["lastcaptureattempt"] > "2000"

    await add_card(whmcs, client, "4000000000000341")
    assert await whmcs.error("CapturePayment", invoiceid=invoice) == "Payment Attempt Failed"

    await add_card(whmcs, client, set_as_default="1")
    assert (await whmcs.call("CapturePayment", invoiceid=invoice)) == {"result": "success"}
    assert await whmcs.error("CapturePayment", invoiceid=invoice) == "Invoice Not Found or Not Unpaid"


async def test_cards_are_a_flat_list_without_their_number(whmcs, client):
    card = await add_card(whmcs, client)

    listed = await whmcs.call("GetPayMethods", clientid=client, type="CreditCard")

    shown = listed["paymethods"][0]
    assert (str(shown["id"]), shown["type"], shown["card_last_four"]) == (card, "RemoteCreditCard", "4242")
    assert (shown["expiry_date"], listed["clientid"]) == ("12/35", str(client))
    assert "424242424242" not in str(listed)


async def test_card_belongs_to_its_client(whmcs, client):
    card = await add_card(whmcs, client)

    message = await whmcs.error("DeletePayMethod", clientid=1, paymethodid=card)
    await whmcs.call("DeletePayMethod", clientid=client, paymethodid=card)

    assert message == "Pay Method does not belong to passed Client ID"
    assert (await whmcs.call("GetPayMethods", clientid=client))["paymethods"] == []


async def test_default_card_stands_first_and_is_followed_by_the_oldest(whmcs, client):
    first, second = await add_card(whmcs, client), await add_card(whmcs, client)

    async def listed():
        return [str(row["id"]) for row in (await whmcs.call("GetPayMethods", clientid=client))["paymethods"]]

    assert await listed() == [first, second]
    await whmcs.call("UpdatePayMethod", clientid=client, paymethodid=second, set_as_default="1", card_expiry="0136")
    assert await listed() == [second, first]
    await whmcs.call("DeletePayMethod", clientid=client, paymethodid=second)
    assert await listed() == [first]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clientid": ""}, "Client ID is Required"),
        ({"paymethodid": ""}, "Pay Method ID is Required"),
        ({"paymethodid": "99999"}, "Invalid Pay Method ID"),
        ({"clientid": "1"}, "Pay Method does not belong to passed Client ID"),
        ({"set_as_default": None}, "No Details Provided for Update"),
        ({"card_number": "4242424242424242"}, "Unable to Update Card Number for Assisted Gateway"),
        ({"card_expiry": "1320"}, "Expiry Date is invalid"),
    ],
)
async def test_card_updates_are_refused_in_documented_words(whmcs, client, fields, message):
    whole = {"clientid": client, "paymethodid": await add_card(whmcs, client), "set_as_default": "1"} | fields

    assert await whmcs.error("UpdatePayMethod", **{k: v for k, v in whole.items() if v is not None}) == message


async def test_pay_method_errors_keep_their_capitals(whmcs):
    assert await whmcs.error("GetPayMethods") == "Client ID Is Required"
    assert await whmcs.error("DeletePayMethod") == "Client ID is Required"
    assert await whmcs.error("AddPayMethod", clientid=1) == "No Local Credit Card Payment Gateways Enabled"


async def test_overdue_is_a_filter_and_never_a_status(whmcs):
    overdue = await whmcs.call("GetInvoices", userid=2, status="Overdue")

    assert overdue["totalresults"] == 1
    row = overdue["invoices"]["invoice"][0]
    assert (row["status"], row["currencycode"], row["total"]) == ("Unpaid", "JPY", "2750.00")
    assert "balance" not in row


async def test_lists_are_cut_at_twenty_five_and_sorted(whmcs, client):
    for number in range(27):
        await whmcs.call("CreateInvoice", userid=client, itemdescription1="x", itemamount1=str(number), itemtaxed1="0")

    first = await whmcs.call("GetInvoices", userid=client, orderby="id", order="desc")
    rest = await whmcs.call("GetInvoices", userid=client, orderby="id", order="desc", limitstart="25")

    assert (first["totalresults"], first["numreturned"], rest["numreturned"]) == (27, 25, 2)
    ids = [row["id"] for row in first["invoices"]["invoice"] + rest["invoices"]["invoice"]]
    assert ids == sorted(ids, reverse=True)


async def test_transactions_are_found_by_their_reference_with_text_ids(whmcs, invoice):
    await whmcs.call("AddInvoicePayment", invoiceid=invoice, transid=f"ref-{invoice}", gateway="stripe")

    found = await whmcs.call("GetTransactions", transid=f"ref-{invoice}")

    assert (found["totalresults"], found["transactions"]["transaction"][0]["invoiceid"]) == (1, str(invoice))


async def test_unknown_invoice_has_its_own_words(whmcs):
    assert await whmcs.error("GetInvoice", invoiceid=99999) == "Invoice ID Not Found"
    assert await whmcs.error("AddInvoicePayment", invoiceid=99999, transid="x") == "Invoice ID Not Found"


async def test_gateways_and_currency_are_listed(whmcs):
    gateways = (await whmcs.call("GetPaymentMethods"))["paymentmethods"]["paymentmethod"]
    currency = (await whmcs.call("GetCurrencies"))["currencies"]["currency"][0]

    assert gateways[0] == {"module": "stripe", "displayname": "Credit Card"}
    assert (currency["id"], currency["code"]) == ("1", "JPY")
