"""WHMCS's many spellings of lists, numbers, booleans, dates and money."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from portal_app.domain.money import Money
from portal_app.integrations.whmcs.fields import (
    day,
    exact_money,
    moment,
    money,
    number,
    number_or_none,
    numbers,
    rows,
    text,
    truth,
)
from portal_app.integrations.whmcs.schemas import (
    client_of,
    field_id_of,
    invoice_of,
    new_order_of,
    payment_method_of,
    prices_of,
    subscription_of,
)

TOKYO = ZoneInfo("Asia/Tokyo")
INVOICE = {
    "invoiceid": 31, "invoicenum": "", "userid": "1", "date": "2026-01-05", "duedate": "2026-01-12",
    "datepaid": "0000-00-00 00:00:00", "subtotal": "2500.00", "credit": "0.00", "tax": "250.00", "tax2": "0.00",
    "total": "2750.00", "balance": "2750.00", "status": "Payment Pending",
    "items": {"item": [
        {"id": 51, "type": "Hosting", "relid": 7, "description": "VPN", "amount": "2500.00", "taxed": 1},
        {"id": 52, "type": "", "relid": 0, "description": "Note", "amount": "0.00", "taxed": 0},
    ]},
    "transactions": "",
}  # fmt: skip


@pytest.mark.parametrize(
    "nothing", ["", None, [], {}, {"item": []}, {"item": ""}, {"item": None}, {"item": {}}, [[]], "absent"]
)
def test_every_empty_list_is_no_rows(nothing: object) -> None:
    body = {} if nothing == "absent" else {"items": nothing}
    assert rows(body, "items", "item") == []


@pytest.mark.parametrize(
    "wrapped",
    [
        {"item": [{"id": 1}]},
        {"item": {"id": 1}},
        {"item": {"0": {"id": 1}}},
        [{"id": 1}],
        {"0": {"id": 1}},
        {"id": 1},
    ],
)
def test_every_wrapping_of_one_row_is_one_row(wrapped: object) -> None:
    assert rows({"items": wrapped}, "items", "item") == [{"id": 1}]


@pytest.mark.parametrize("value", [5, "5", " 5 "])
def test_numbers_come_as_numbers_or_text(value: object) -> None:
    assert number({"id": value}, "id") == 5


@pytest.mark.parametrize("value", [None, "", "x", True, 1.5, [1]])
def test_a_malformed_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        number({"id": value}, "id")


@pytest.mark.parametrize("value", [None, "", "0", 0])
def test_references_to_nothing_are_none(value: object) -> None:
    assert number_or_none({"id": value}, "id") is None


def test_lists_of_ids_are_comma_separated() -> None:
    assert numbers({"a": "8, 9,"}, "a") == (8, 9)
    assert numbers({"a": ""}, "a") == ()


@pytest.mark.parametrize(("value", "meaning"), [
    (True, True), (1, True), ("1", True), ("true", True), ("on", True), ("Yes", True),
    (False, False), (0, False), ("0", False), ("false", False), ("off", False), ("", False), (None, False),
])  # fmt: skip
def test_booleans_have_many_spellings(value: object, meaning: bool) -> None:
    assert truth({"flag": value}, "flag") is meaning


def test_a_malformed_boolean_is_refused() -> None:
    with pytest.raises(ValueError):
        truth({"flag": "perhaps"}, "flag")


def test_zero_dates_are_no_dates() -> None:
    row = {"a": "0000-00-00", "b": "0000-00-00 00:00:00", "c": None, "d": "2026-01-05"}
    assert [day(row, name) for name in "abcd"] == [None, None, None, date(2026, 1, 5)]
    assert moment(row, "b", TOKYO) is None


def test_naive_times_are_read_in_the_installations_zone() -> None:
    assert moment({"at": "2026-01-06 08:30:00"}, "at", TOKYO) == datetime(2026, 1, 5, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "yen"), [("15950.00", 15950), ("488.85", 489), ("48.49", 48), ("980.50", 981), ("-98.50", -99), ("", 0)]
)
def test_an_amount_to_show_is_rounded_half_up_and_one_to_compare_is_exact(amount: str, yen: int) -> None:
    assert money({"a": amount}, "a", "JPY") == Money(yen)
    assert money({"a": "15.95"}, "a", "USD") == Money(1595, "USD")
    if amount.endswith(".00"):
        assert exact_money({"a": amount}, "a", "JPY") == Money(yen)
    elif amount:
        with pytest.raises(ValueError):
            exact_money({"a": amount}, "a", "JPY")


@pytest.mark.parametrize("amount", ["n/a", "1e9", "NaN", [], {}, "¥980"])
def test_what_is_no_amount_is_refused_without_saying_what_it_was(amount: object) -> None:
    with pytest.raises(ValueError, match=r"^total is no"):
        money({"total": amount or "x"}, "total", "JPY")


def test_entities_in_names_are_undone_once() -> None:
    assert text({"name": "O&#039;Hara &amp;amp; Co"}, "name") == "O'Hara &amp; Co"
    assert [text({"name": nothing}, "name") for nothing in ([], {}, None)] == ["", "", ""]


def test_an_unpaid_invoice_has_lines_and_no_payments() -> None:
    invoice = invoice_of(INVOICE, currency="JPY", zone=TOKYO)
    assert (invoice.id, invoice.client_id, invoice.status) == (31, 1, "payment_pending")
    assert (invoice.tax, invoice.total, invoice.balance) == (Money(250), Money(2750), Money(2750))
    assert [(line.service_id, line.taxed) for line in invoice.lines] == [(7, True), (None, False)]
    assert invoice.payments == () and invoice.paid_at is None


def test_refunds_are_negative_payments() -> None:
    refund = {"date": "2026-01-06 10:00:00", "gateway": "stripe", "amountin": "0.00", "amountout": "100.00"}
    invoice = invoice_of({**INVOICE, "transactions": {"transaction": [refund]}}, currency="JPY", zone=TOKYO)
    assert invoice.payments[0].amount == Money(-100)


def test_a_list_row_names_its_own_currency_and_knows_no_balance() -> None:
    row = {"id": "31", "userid": "1", "total": "15.95", "status": "New One", "currencycode": "USD"}
    invoice = invoice_of(row, currency="JPY", zone=TOKYO)
    assert (invoice.total, invoice.balance, invoice.status) == (Money(1595, "USD"), None, "unknown")


def test_a_clients_number_is_found_in_its_custom_field() -> None:
    client = {"id": 1, "email": "a@example.jp", "customfields": [{"id": "198", "value": "C00000001"}]}
    assert client_of({"client": client}, number_field=198).customer_number == "C00000001"
    assert client_of({"userid": "1", "email": "a@example.jp"}, number_field=198).customer_number == ""


def test_card_tokens_are_dropped() -> None:
    row = {"id": 2, "type": "RemoteCreditCard", "description": "", "card_type": "Visa", "card_last_four": "4242",
           "expiry_date": "02/28", "gateway_name": "stripe", "remote_token": "secret"}  # fmt: skip
    method = payment_method_of(row)
    assert (method.kind, method.description, method.last_four, method.expires) == ("card", "Visa", "4242", "02/28")
    assert "secret" not in repr(method)


def test_a_service_carries_our_reference_and_not_its_password() -> None:
    row = {"id": "7", "clientid": "1", "pid": "3", "orderid": "4", "name": "VPN", "groupname": "VPN",
           "status": "Active", "billingcycle": "Semi-Annually", "recurringamount": "2500.00", "password": "secret",
           "translated_name": "海外VPN", "translated_groupname": "海外",
           "customfields": {"customfield": [{"id": "9", "name": "portal reference|Ref", "value": "abc"}]}}  # fmt: skip
    service = subscription_of(row, currency="JPY", reference_field="Portal Reference", shown=frozenset())
    assert (service.reference, service.cycle, service.status) == ("abc", "semiannually", "active")
    assert (service.name, service.category) == ("海外VPN", "vpn")
    assert "secret" not in repr(service)


def test_an_order_without_an_invoice_has_none() -> None:
    order = new_order_of({"orderid": "5", "productids": "8", "invoiceid": ""})
    assert (order.order_id, order.service_ids, order.invoice_id) == (5, (8,), None)


def test_cycles_not_offered_have_no_price() -> None:
    cells = {"monthly": "2500.00", "annually": "-1.00"}
    assert prices_of({"paytype": "recurring", "pricing": {"JPY": cells}}, "JPY") == {"monthly": Money(2500)}
    assert prices_of({"paytype": "onetime", "pricing": {"JPY": cells}}, "JPY") == {"onetime": Money(2500)}
    assert prices_of({"paytype": "free", "pricing": {"JPY": cells}}, "JPY") == {}
    assert prices_of({"paytype": "recurring", "pricing": {"EUR": cells}}, "JPY") == {}


def test_a_product_without_the_reference_field_has_no_field_id() -> None:
    assert field_id_of({"customfields": {"customfield": [{"id": 4, "name": "Other"}]}}, "Portal Reference") is None
