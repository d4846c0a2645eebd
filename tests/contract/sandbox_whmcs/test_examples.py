"""Requests of fact sheet 1.6 posted as PHP writes them, and answers laid beside the examples of 2.7.

Values are the sandbox's own; members, their order, their types and the form of their texts are the examples'.
"""

import json
import re
from pathlib import Path

import pytest

from sandbox.whmcs.php import unserialize

EXAMPLES = json.loads(Path(__file__).with_name("examples.json").read_text())
PASSWORD = "walk-the-portal-1"
FORMS = (
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r"\d{4}-\d\d-\d\d", r"\d\d/\d\d/\d{4} \d\d:\d\d", r"\d\d/\d\d", r"[0-9a-f]{40}",
    r"-?\d+\.\d{2}", r"-?\d+\.\d{3}", r"-?\d+\.\d{5}", r"\+\d+\.\d+", r"[€¥]-?[\d,.]+ [A-Z]{3}", r"-?\d+",
    r"true|false",
)  # fmt: skip
# Texts of people, whose form is free.
FREE = {"uuid", "notes", "description", "name", "statecode", "postcode", "format", "expiry_date", "passwordhash"}
# (example, action, fields); values in braces are made by the test.
ANSWERS = [
    ("GetClientsDetails", "GetClientsDetails", {"clientid": "2", "stats": "1"}),
    ("GetClientsProducts", "GetClientsProducts", {"clientid": "2"}),
    ("GetInvoice unpaid", "GetInvoice", {"invoiceid": "{unpaid}"}),
    ("GetInvoice paid", "GetInvoice", {"invoiceid": "{paid}"}),
    ("GetPayMethods", "GetPayMethods", {"clientid": "2"}),
    ("GetCredits", "GetCredits", {"clientid": "{client}"}),
    ("GetCurrencies", "GetCurrencies", {}),
    ("AddOrder", "AddOrder", {"clientid": "{client}", "paymentmethod": "stripe", "pid[0]": "33"}),
    ("AcceptOrder", "AcceptOrder", {"orderid": "{order}", "autosetup": "1"}),
    ("CreateInvoice", "CreateInvoice", {"userid": "{client}", "itemdescription0": "Data", "itemamount0": "500"}),
    ("ApplyCredit", "ApplyCredit", {"invoiceid": "{unpaid}", "amount": "5.00"}),
    ("CreateSsoToken", "CreateSsoToken", {"client_id": "2", "destination": "clientarea:invoices"}),
    ("ValidateLogin", "ValidateLogin", {"email": "chie@example.jp", "password2": PASSWORD}),
    ("ValidateLogin with a second factor", "ValidateLogin", {"email": "daichi@example.jp", "password2": PASSWORD}),
    ("UpgradeProduct", "UpgradeProduct", {
        "serviceid": "{service}", "paymentmethod": "stripe", "type": "product", "newproductid": "183",
        "newproductbillingcycle": "monthly",
    }),
]  # fmt: skip
SERIALIZED = [
    ("YToxOntpOjE7czo1OiJZYWhvbyI7fQ==", {1: "Yahoo"}),
    ("YToxOntpOjE7czo2OiJHb29nbGUiO30=", {1: "Google"}),
    ("YToxOntpOjE7aTo5OTk7fQ==", {1: 999}),
    (
        "YToyOntpOjE7aTo0O2k6MjthOjI6e3M6ODoib3B0aW9uaWQiO2k6NztzOjM6InF0eSI7aTo1O319",
        {1: 4, 2: {"optionid": 7, "qty": 5}},
    ),
    ("YToxOntpOjM7czo3OiJaw7xyaWNoIjt9", {3: "Zürich"}),
    (
        "YToyOntzOjg6Im5pY2tuYW1lIjtzOjM6IkFkYSI7aToxMjtzOjE5OiI4OTQ0NTAwMDAwMDAwMDAwMDAxIjt9",
        {"nickname": "Ada", 12: "8944500000000000001"},
    ),
    ("YToxOntpOjE7czowOiIiO30=", {1: ""}),
    ("YToxOntzOjI6IjAxIjtzOjE6IngiO30=", {"01": "x"}),
    ("YTowOnt9", {}),
]


@pytest.fixture
async def made(whmcs):
    """A client with credit, an active service due in a month, a pending order, an unpaid and a paid invoice."""
    client = await whmcs.new_client()
    await whmcs.call("AddCredit", clientid=client, description="Goodwill", amount="1000")
    running = await whmcs.new_order(client)
    await whmcs.call("AcceptOrder", orderid=running["orderid"], autosetup="1")
    await whmcs.call("AddInvoicePayment", invoiceid=running["invoiceid"], transid="ch_1", gateway="stripe")
    waiting = await whmcs.new_order(client)
    return {
        "client": client, "order": waiting["orderid"], "unpaid": waiting["invoiceid"],
        "paid": running["invoiceid"], "service": running["serviceids"],
    }  # fmt: skip


def differences(example, answer, where: str = "") -> list[str]:
    """Return where an answer is not made like an example; an answer may hold more members, but not in between."""
    if type(example) is not type(answer):
        return [f"{where}: {type(example).__name__} in the example, {answer!r} in the answer"]
    if isinstance(example, dict):
        shared = [name for name in answer if name in example]
        found = [] if shared == list(example) else [f"{where}: {list(example)} in the example, {shared} in the answer"]
        return found + [d for name in shared for d in differences(example[name], answer[name], f"{where}.{name}")]
    if isinstance(example, list):
        if bool(example) != bool(answer):
            return [f"{where}: {example!r} in the example, {answer!r} in the answer"]
        return [d for item in answer for d in differences(example[0], item, f"{where}[]")]
    if where == ".result":
        return [] if answer == example else [f"{where}: {answer}"]
    if not isinstance(example, str) or not example or not answer or where.rpartition(".")[2] in FREE:
        return []
    form = next((form for form in FORMS if re.fullmatch(form, example)), None)
    return [] if form is None or re.fullmatch(form, answer) else [f"{where}: like {example!r}, but is {answer!r}"]


@pytest.mark.parametrize(("example", "action", "fields"), ANSWERS, ids=[row[0] for row in ANSWERS])
async def test_answers_are_made_like_the_examples(whmcs, made, example, action, fields):
    answer = await whmcs.call(action, **{name: str(value).format(**made) for name, value in fields.items()})

    assert differences(EXAMPLES[example], answer) == []


@pytest.mark.parametrize(("packed", "value"), SERIALIZED)
def test_serialized_vectors_are_read(packed, value):
    assert unserialize(packed) == value


async def test_numbered_suffixes_begin_anywhere_and_keep_their_order(whmcs, made):
    lines = {"itemdescription10": "Last", "itemamount10": "3", "itemdescription0": "First", "itemamount0": "1.00"}

    created = await whmcs.call("CreateInvoice", userid=made["client"], **lines, itemtaxed0="0")

    items = (await whmcs.call("GetInvoice", invoiceid=created["invoiceid"]))["items"]["item"]
    assert [(item["description"], item["amount"]) for item in items] == [("First", "1.00"), ("Last", "3.00")]


async def test_lines_of_a_draft_are_changed_by_maps_added_by_lists_and_published(whmcs, made):
    line = {"itemdescription1": "Draft", "itemamount1": "100", "itemtaxed1": "0"}
    number = (await whmcs.call("CreateInvoice", userid=made["client"], draft="1", **line))["invoiceid"]
    old = (await whmcs.call("GetInvoice", invoiceid=number))["items"]["item"][0]["id"]
    changed = {f"itemdescription[{old}]": "Changed", f"itemamount[{old}]": "200", f"itemtaxed[{old}]": "0"}
    added = {"newitemdescription[0]": "Added", "newitemamount[0]": "50", "newitemtaxed[0]": "1"}

    assert await whmcs.error("UpdateInvoice", invoiceid=number, **{f"itemdescription[{old}]": "x"}) == (
        "Missing Variables: itemdescription, itemamount and itemtaxed are required for each item being changed"
    )
    await whmcs.call("UpdateInvoice", invoiceid=number, itemdescription="a scalar does nothing")
    await whmcs.call("UpdateInvoice", invoiceid=number, **changed, **added, publish="1")

    shown = await whmcs.call("GetInvoice", invoiceid=number)
    assert [(item["description"], item["amount"]) for item in shown["items"]["item"]] == [
        ("Changed", "200.00"),
        ("Added", "50.00"),
    ]
    assert (shown["status"], shown["tax"]) == ("Unpaid", "5.00")
    assert await whmcs.error("UpdateInvoice", invoiceid=number, publish="1") == (
        "Invoice must be in Draft status to be published"
    )
    assert await whmcs.error("UpdateInvoice", invoiceid=number, status="Nice") == "Invalid status Nice"
    refused = await whmcs.call("UpdateInvoice", invoiceid=number, **changed)
    assert refused["result"] == "error"
