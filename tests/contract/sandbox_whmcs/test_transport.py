"""How the API is reached: envelope, statuses, encodings (WHMCS fact sheet 1.4, 1.6, 1.7)."""

import base64
import json

import httpx
import pytest


async def test_credentials_are_asked_for_before_anything_is_said(whmcs):
    answer = await whmcs.post("GetClients", secret="wrong")

    assert answer.status_code == 403
    assert answer.json() == {"result": "error", "message": "Invalid or missing credentials"}


async def test_credentials_are_accepted_as_username_and_password(whmcs):
    fields = {"username": whmcs.settings["WHMCS_API_IDENTIFIER"], "password": whmcs.settings["WHMCS_API_SECRET"]}

    answer = await whmcs.call("WhmcsDetails", identifier="", secret="", **fields)

    assert answer["whmcs"]["version"] == "9.0.3"


async def test_empty_action_is_refused_before_the_credentials_are_looked_at(whmcs):
    answer = await whmcs.post("", secret="wrong")

    assert (answer.status_code, answer.json()["message"]) == (400, "Empty action request")


async def test_unknown_action_is_a_business_error(whmcs):
    assert await whmcs.error("MakeCoffee") == "API Function Not Found"


async def test_action_outside_the_role_is_forbidden_with_escaped_quotes(whmcs, set_faults):
    await set_faults("whmcs", special={"forbid_getpaymethods": -1})

    answer = await whmcs.post("GetPayMethods", clientid=1)

    assert answer.status_code == 403
    assert answer.text == (
        '{"result":"error","message":"Invalid Permissions: API action \\u0022getpaymethods\\u0022 is not allowed"}'
    )


async def test_foreign_address_is_refused_before_the_credentials_are_checked(whmcs, set_faults):
    await set_faults("whmcs", special={"foreign_ip": -1})

    answer = await whmcs.post("GetClients", secret="wrong")

    assert (answer.status_code, answer.json()["message"]) == (403, "Invalid IP 203.0.113.9")


async def test_action_names_are_case_insensitive(whmcs):
    assert (await whmcs.call("getclientsdetails", clientid=1))["client"]["email"] == "aiko@example.jp"


async def test_slashes_and_characters_beyond_ascii_are_escaped_as_php_does(whmcs):
    client = await whmcs.new_client(companyname="日本/テスト")

    text = (await whmcs.post("GetClientsDetails", clientid=client)).text

    assert '"companyname":"\\u65e5\\u672c\\/\\u30c6\\u30b9\\u30c8"' in text


@pytest.mark.parametrize("brackets", ["[0]", "%5B0%5D", "[]"])
async def test_array_brackets_are_read_plain_encoded_and_empty(whmcs, brackets):
    client = await whmcs.new_client()
    body = f"identifier=sandbox-identifier&secret=sandbox-secret&action=AddOrder&responsetype=json&clientid={client}"
    body += f"&paymentmethod=stripe&pid{brackets}=33&billingcycle{brackets}=monthly"

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await whmcs.browser.post(whmcs.url, content=body, headers=headers)

    assert answer.json()["result"] == "success"


async def test_scalar_where_a_list_belongs_is_refused(whmcs):
    client = await whmcs.new_client()

    message = await whmcs.error("AddOrder", clientid=client, paymentmethod="stripe", pid="33")

    assert message == "Expecting parameter 'pid' to be an array"


@pytest.mark.parametrize(
    ("serialized", "kept"),
    [
        ('a:1:{i:198;s:9:"C00000077";}', "C00000077"),
        ('a:1:{s:3:"198";s:7:"Zürich";}', "Zürich"),
        ("a:1:{i:198;i:42;}", "42"),
        ('a:1:{i:198;O:8:"stdClass":0:{}}', ""),
        ('a:1:{i:198;s:99:"too short";}', ""),
        ("a:1:{i:198;R:1;}", ""),
    ],
)
async def test_serialized_custom_fields_are_stored_unless_they_hold_objects_or_wrong_lengths(whmcs, serialized, kept):
    client = await whmcs.new_client(customfields=base64.b64encode(serialized.encode()).decode())

    details = await whmcs.call("GetClientsDetails", clientid=client)

    assert details["client"]["customfields"][0] == {"id": 198, "value": kept}


async def test_vendor_that_is_down_shows_a_web_page(whmcs, set_faults):
    await set_faults("whmcs", down=True)

    answer = await whmcs.post("GetClients")

    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")


async def test_flaky_vendor_fails_only_the_named_operations(whmcs, set_faults):
    await set_faults("whmcs", flaky=1.0, operations=["GetClients"])

    assert (await whmcs.post("getclients")).status_code == 500
    assert (await whmcs.post("GetUsers")).status_code == 200


async def test_lost_answer_cuts_the_connection_after_the_write(whmcs, set_faults):
    client = await whmcs.new_client()
    await set_faults("whmcs", lose_answers=1, operations=["AddOrder"])

    with pytest.raises(httpx.RemoteProtocolError):
        await whmcs.new_order(client)

    assert (await whmcs.call("GetOrders", userid=client))["totalresults"] == 1


async def test_answers_without_responsetype_are_no_json(whmcs):
    text = (await whmcs.post("WhmcsDetails", responsetype="")).text

    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


async def test_client_of_an_address_alone_is_shown_listed_and_sorted(whmcs, person):
    email = person()["email"]
    made = await whmcs.call("AddClient", email=email, password2="x", skipvalidation="1")

    shown = await whmcs.call("GetClientsDetails", clientid=made["clientid"])
    listed = await whmcs.call("GetClients", search=email, orderby="customfields")

    assert (shown["firstname"], shown["address1"], shown["country"]) == ("", "", "JP")
    assert [row["email"] for row in listed["clients"]["client"]] == [email]


@pytest.mark.parametrize("day", ["0000-00-00", "soon", ""])
async def test_service_whose_due_date_is_no_date_is_neither_billed_nor_a_failure(whmcs, day):
    client = await whmcs.new_client()
    placed = await whmcs.new_order(client)
    service, invoice = placed["serviceids"], placed["invoiceid"]
    await whmcs.call("AcceptOrder", orderid=placed["orderid"], autosetup="1")
    await whmcs.call("UpdateClientProduct", serviceid=service, nextduedate=day)

    upgrade = {"paymentmethod": "stripe", "type": "product", "newproductid": "183", "calconly": "1"}
    quote = await whmcs.call("UpgradeProduct", serviceid=service, **upgrade)
    paid = await whmcs.call("AddInvoicePayment", invoiceid=invoice, transid=f"odd{invoice}", gateway="stripe")
    billed = await whmcs.call("GenInvoices", clientid=client)

    assert [answer["result"] for answer in (quote, paid, billed)] == ["success"] * 3
    assert (await whmcs.call("GetInvoices", userid=client))["totalresults"] == 1


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("UpdateClientProduct", {"unset[0][a]": "b"}),
        ("UpdateInvoice", {"deletelineids[0][a]": "b", "newitemdescription[0][a]": "b"}),
        ("UpdateInvoice", {"deletelineids": "1", "newitemdescription[0]": "b", "newitemamount[0][a]": "b"}),
        ("GetOrders", {f"a{number}": "1" for number in range(1100)}),
        ("GetOrders", {f"a[{'9' * 5000}]": "1", "a[]": "2"}),
    ],
)
async def test_field_of_another_shape_is_passed_over(whmcs, action, fields):
    placed = await whmcs.new_order(await whmcs.new_client(), **{"pid[1]": "33", "qty[1]": "9" * 5000})
    draft = await whmcs.call("CreateInvoice", userid=await whmcs.new_client(), draft="1")

    answer = await whmcs.call(action, serviceid=placed["serviceids"], invoiceid=draft["invoiceid"], **fields)

    assert answer["result"] == "success"


@pytest.mark.parametrize("name", ["pid", "domaintype", "regperiod", "addonids"])
async def test_scalar_where_an_order_expects_an_array_is_refused(whmcs, name):
    order = {"clientid": await whmcs.new_client(), "paymentmethod": "stripe", "pid[1]": "33", name: "x"}

    assert await whmcs.error("AddOrder", **order) == f"Expecting parameter '{name}' to be an array"


async def test_notification_event_needs_three_texts(whmcs):
    fields = {"notification_identifier": "portal.x", "title": "T", "message": "M", "attributes[0][label]": "a"}
    missing = [await whmcs.error("TriggerNotificationEvent", **(fields | {name: ""})) for name in list(fields)[:3]]

    assert missing == [
        "API Notification Events require a identifier string to be passed.",
        "API Notification Events require a title to be provided.",
        "API Notification Events require a message to be provided.",
    ]
    assert await whmcs.call("TriggerNotificationEvent", **fields) == {"result": "success"}


async def test_activity_log_is_found_again_by_client_and_words(whmcs):
    client = await whmcs.new_client()
    for words in ("Portal: first", "Portal: second"):
        await whmcs.call("LogActivity", clientid=client, description=words)

    both = await whmcs.call("GetActivityLog", clientid=client)
    one = await whmcs.call("GetActivityLog", clientid=client, description="FIRST")

    assert [row["description"] for row in both["activity"]["entry"]] == ["Portal: second", "Portal: first"]
    assert (both["totalresults"], both["startnumber"]) == ("2", "0")
    assert "numreturned" not in both
    assert (one["totalresults"], one["activity"]["entry"][0]["userid"]) == ("1", str(client))
    assert "activity" not in await whmcs.call("GetActivityLog", clientid=client, date="01/01/2016")


async def test_client_without_addons_gets_no_container(whmcs):
    answer = await whmcs.call("GetClientsAddons", clientid="99999")

    assert answer == {"result": "success", "serviceid": "", "clientid": "99999", "totalresults": "0"}
    assert await whmcs.error("UpdateClientAddon", id="99999") == "Addon ID Not Found"


async def test_switches_turn_single_calls_and_the_whole_installation(whmcs, set_faults):
    client = await whmcs.new_client()
    paid = (await whmcs.new_order(client))["invoiceid"]
    line = (await whmcs.call("GetInvoice", invoiceid=paid))["items"]["item"][0]["id"]
    edit = {f"itemdescription[{line}]": "x", f"itemamount[{line}]": "100", f"itemtaxed[{line}]": "1"}
    immutable = await whmcs.error("UpdateInvoice", invoiceid=paid, **edit)

    await set_faults("whmcs", special={"too_many_requests": 1, "sso_blocked": 1, "whmcs_8": 1, "invoice_numbers": 1})
    crowded = await whmcs.post("GetClients")
    version = (await whmcs.call("WhmcsDetails"))["whmcs"]["version"]
    blocked = await whmcs.error("CreateSsoToken", client_id=client)
    await whmcs.call("UpdateInvoice", invoiceid=paid, **edit)
    await whmcs.call("AddInvoicePayment", invoiceid=paid, transid=f"n{paid}", gateway="stripe")

    assert immutable == "This invoice has been issued and can no longer be edited"
    assert (crowded.status_code, crowded.headers["retry-after"], version) == (429, "1", "8.13.1")
    assert blocked == f"SSO authentication blocked for client {client}"
    assert "access_token" in await whmcs.call("CreateSsoToken", client_id=client)
    numbered = await whmcs.call("GetInvoice", invoiceid=paid)
    assert (numbered["total"], numbered["invoicenum"][4:]) == ("110.00", "-00001")


async def test_pending_capture_is_settled_by_staff_and_a_part_is_given_back(whmcs, set_faults):
    client = await whmcs.new_client()
    invoice = (await whmcs.new_order(client))["invoiceid"]
    card = {"type": "RemoteCreditCard", "gateway_module_name": "stripe", "card_number": "4242424242424242"}
    await whmcs.call("AddPayMethod", clientid=client, card_expiry="1235", **card)
    await set_faults("whmcs", special={"payment_pending": 1})

    captured = await whmcs.call("CapturePayment", invoiceid=invoice)
    pending = await whmcs.call("GetInvoice", invoiceid=invoice)
    again = await whmcs.error("CapturePayment", invoiceid=invoice)
    await whmcs.browser.post(f"{whmcs.office}/api/invoices/{invoice}/pay")
    await whmcs.staff("invoices", invoice, "refund-part", amount=750, to_credit=True)

    assert (captured, pending["status"], pending["balance"]) == ({"result": "success"}, "Payment Pending", "2750.00")
    assert again == "Invoice Not Found or Not Unpaid"
    partly = await whmcs.call("GetInvoice", invoiceid=invoice)
    moved = [(row["amountin"], row["amountout"]) for row in partly["transactions"]["transaction"]]
    assert (partly["status"], moved) == ("Paid", [("2750.00", "0.00"), ("0.00", "750.00")])
    credit = await whmcs.call("GetClientsDetails", clientid=client)
    assert credit["client"]["credit"] == "750.00"
