"""Clients, users and signing in (WHMCS fact sheet 2.1, 2.2)."""

import pytest


async def test_new_client_gets_an_owner_who_can_sign_in(whmcs, person):
    someone = person()

    added = await whmcs.call("AddClient", **someone)
    login = await whmcs.call("ValidateLogin", email=someone["email"].upper(), password2=someone["password2"])
    details = await whmcs.call("GetClientsDetails", email=someone["email"])

    assert isinstance(added["clientid"], str)
    assert login["twoFactorEnabled"] == "false"
    owner = details["client"]["users"]["user"][0]
    assert (str(owner["id"]), owner["is_owner"]) == (login["userid"], True)
    assert details["client"]["currency_code"] == "JPY"
    assert details["email"] == someone["email"]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("firstname", "You did not enter your first name"),
        ("address1", "You did not enter your  address line 1"),
        ("country", "Valid country required"),
        ("phonenumber", "You did not enter your phone number"),
        ("email", "You did not enter your email address"),
    ],
)
async def test_missing_required_field_is_named(whmcs, person, field, message):
    assert await whmcs.error("AddClient", **(person() | {field: ""})) == message


async def test_malformed_address_and_number_are_refused(whmcs, person):
    assert await whmcs.error("AddClient", **(person() | {"email": "nobody"})) == (
        "The email address you entered was not valid"
    )
    assert await whmcs.error("AddClient", **(person() | {"phonenumber": "call me"})) == "Invalid telephone phone number"


async def test_known_address_is_refused(whmcs, person):
    message = await whmcs.error("AddClient", **(person() | {"email": "ben@example.jp"}))

    assert message == "A user already exists with that email address"


async def test_wrong_password_and_unknown_address_give_the_same_error(whmcs):
    for email in ("ben@example.jp", "nobody@example.jp"):
        assert await whmcs.error("ValidateLogin", email=email, password2="wrong") == "Email or Password Invalid"


async def test_details_need_somebody(whmcs):
    assert await whmcs.error("GetClientsDetails") == "Either clientid Or email Is Required"
    assert await whmcs.error("GetClientsDetails", clientid=99999) == "Client Not Found"


async def test_update_changes_only_what_was_sent(whmcs):
    client = await whmcs.new_client(companyname="Before")

    await whmcs.call("UpdateClient", clientid=client, status="Inactive", **{"email_preferences[domain]": "0"})

    changed = (await whmcs.call("GetClientsDetails", clientid=client))["client"]
    assert (changed["status"], changed["companyname"]) == ("Inactive", "Before")
    assert (changed["email_preferences"]["domain"], changed["email_preferences"]["invoice"]) == ("0", "1")


async def test_update_refuses_another_clients_address(whmcs):
    client = await whmcs.new_client()

    assert await whmcs.error("UpdateClient", clientid=client, email="ben@example.jp") == "Duplicate Email Address"


async def test_stats_count_and_format(whmcs):
    stats = (await whmcs.call("GetClientsDetails", email="aiko@example.jp", stats="1"))["stats"]

    assert (stats["numunpaidinvoices"], stats["creditbalance"]) == (0, "¥0 JPY")


async def test_search_is_by_prefix_and_paged(whmcs):
    found = await whmcs.call("GetClients", search="ben@", limitnum="1")

    assert (found["totalresults"], found["numreturned"], found["startnumber"]) == (1, 1, 0)
    assert found["clients"]["client"][0]["firstname"] == "Ben"


async def test_users_are_a_flat_list_with_their_clients(whmcs):
    users = (await whmcs.call("GetUsers", search="aiko@example.jp"))["users"]

    assert users[0]["clients"] == [{"id": 1, "isOwner": True}]


async def test_closing_a_client_ends_everything_it_has(whmcs):
    client = await whmcs.new_client()
    order = await whmcs.new_order(client)

    await whmcs.call("CloseClient", clientid=client)

    assert (await whmcs.call("GetInvoice", invoiceid=order["invoiceid"]))["status"] == "Cancelled"
    refused = await whmcs.new_order(client)
    assert refused["message"] == "Unable to add order when client status is Closed"


async def test_mails_report_errors_under_status(whmcs):
    assert await whmcs.call("GetEmails", clientid=99999) == {"status": "error", "message": "Client ID Not Found"}


async def test_sent_mail_is_listed(whmcs):
    client = await whmcs.new_client()
    texts = {"customtype": "general", "customsubject": "Hello", "custommessage": "<p>Hi</p>", "id": client}

    await whmcs.call("SendEmail", **texts)

    assert (await whmcs.call("GetEmails", clientid=client))["emails"]["email"][0]["subject"] == "Hello"


async def test_mail_from_a_template_goes_to_the_related_client_with_its_variables_filled(whmcs):
    order = await whmcs.new_order(client := await whmcs.new_client())
    packed = "YToxOntzOjQ6Im5hbWUiO3M6MToieCI7fQ=="

    await whmcs.call("SendEmail", messagename="Invoice Created", id=order["invoiceid"], customvars=packed)

    mail = (await whmcs.call("GetEmails", clientid=client))["emails"]["email"][0]
    assert (mail["subject"], mail["message"]) == ("Customer Invoice", "<p>Dear Hana Sato, an invoice was made.</p>")
    listed = await whmcs.call("GetEmailTemplates", type="invoice")
    assert [row["name"] for row in listed["emailtemplates"]["emailtemplate"]] == [
        "Invoice Created",
        "Invoice Payment Reminder",
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "You must provide either an existing email template name or a custom message type"),
        ({"customtype": "paint"}, "Invalid message type provided"),
        ({"customtype": "general"}, "A subject is required for a custom message"),
        ({"customtype": "general", "customsubject": "x"}, "A message body is required for a custom message"),
        ({"messagename": "Nothing"}, "Email Template not found"),
        ({"messagename": "Automated Password Reset", "id": "1"}, "Email Template not found"),
        ({"messagename": "Service Suspension Notification", "id": "1"}, "Email Template is disabled"),
        ({"messagename": "Invoice Created"}, "A related ID is required"),
        (
            {"messagename": "Invoice Created", "id": "1", "customvars": "nonsense"},
            "The custom variables you provided are invalid.",
        ),
    ],
)
async def test_mail_that_cannot_be_is_refused_in_documented_words(whmcs, fields, message):
    assert await whmcs.error("SendEmail", **fields) == message
