"""Plans, orders and invoices: mandatory items, stages, overdue dates."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.catalog.plan import plans_of
from portal_app.domain.errors import InvalidInput
from portal_app.domain.money import Money
from portal_app.domain.orders.order import STAGE_WORDS, OrderLine, SalesforceOrder
from tests.support.builders import catalog_item

SERVICE = catalog_item(name="VPN", order=2)
ALONG = replace(
    SERVICE, sku="VPN-A", item_class="activation", cycle="onetime", price=Money(3000), auto_add=True, choosable=False
)
INVOICE = Invoice(
    id=7,
    number="",
    client_id=1,
    status="unpaid",
    issued_on=date(2026, 11, 1),
    due_on=date(2026, 11, 30),
    paid_at=None,
    subtotal=Money(980),
    tax=Money(98),
    credit=Money(0),
    total=Money(1078),
)


def test_mandatory_items_are_added_and_part_of_the_price() -> None:
    (plan,) = plans_of([ALONG, SERVICE], "vpn")
    assert [item.sku for item in plan.items] == ["VPN-1", "VPN-A"]
    assert (plan.monthly, plan.one_time) == (Money(980), Money(3000))


def test_plans_stand_in_display_order_and_only_of_their_category() -> None:
    first = replace(SERVICE, sku="VPN-0", order=1)
    items = [SERVICE, first, replace(SERVICE, sku="SIM", category="sim")]
    assert [plan.service.sku for plan in plans_of(items, "vpn")] == ["VPN-0", "VPN-1"]


def test_items_not_for_sale_are_neither_plans_nor_extras() -> None:
    hidden = replace(SERVICE, sku="HIDDEN", choosable=False)
    closed = replace(SERVICE, sku="CLOSED", orderable=False)
    other = replace(ALONG, sku="OTHER", category="sim")
    plans = plans_of([hidden, closed, other, replace(ALONG, orderable=False), SERVICE], "vpn")
    assert [[item.sku for item in plan.items] for plan in plans] == [["VPN-1"]]


def test_required_items_and_hidden_fees_are_added_and_a_plan_without_them_is_not_sold() -> None:
    fee = replace(ALONG, sku="FEE", auto_add=False)
    deep = replace(fee, sku="DEEP", order=9)
    needy = replace(SERVICE, required=("FEE",))
    (plan,) = plans_of([needy, replace(fee, required=("DEEP",)), deep], "vpn")
    assert [item.sku for item in plan.items] == ["VPN-1", "FEE", "DEEP"]
    assert plans_of([needy], "vpn") == []


def test_extras_exclude_each_other_and_one_dependent_must_be_chosen() -> None:
    once = replace(ALONG, sku="ONCE", item_class="installation", auto_add=False, choosable=True, exclusive=("PARTS",))
    parts = replace(once, sku="PARTS", cycle="monthly", price=Money(950), exclusive=("ONCE",))
    phone = replace(once, sku="PHONE", item_class="add-on", exclusive=(), required=("PHONE-FEE",))
    hidden = replace(phone, sku="PHONE-FEE", choosable=False, required=())
    (plan,) = plans_of([replace(SERVICE, dependent=("ONCE", "PARTS")), once, parts, phone, hidden], "vpn")
    assert [item.sku for item in plan.with_extras(["PARTS", "PHONE"])] == ["VPN-1", "PARTS", "PHONE", "PHONE-FEE"]
    for wrong in (["ONCE", "PARTS"], [], ["PHONE"], ["PHONE-FEE", "ONCE"], ["NOTHING", "ONCE"]):
        with pytest.raises(InvalidInput):
            plan.with_extras(wrong)


def test_voice_options_are_offered_with_voice_lines_only() -> None:
    option = replace(ALONG, sku="MAIL", category="sim", item_class="add-on", auto_add=False, choosable=True)
    voice = replace(SERVICE, category="sim", has_voice=True)
    offered = [plan.extras for plan in plans_of([voice, replace(voice, sku="D", has_voice=False), option], "sim")]
    assert offered == [(option,), ()]


STAGES = {
    ("Pending Review", ""): "in_review",
    ("Pending Review", "Not Started"): "in_review",
    ("Pending Review", "Activating"): "being_set_up",
    ("Pending Review", "Failed"): "needs_attention",
    ("Processed", "Activated"): "active",
}
STATUSES = ("Draft", "Pending Review", "Processed", "Rejected", "Cancelled", "Something new", "")
ACTIVATIONS = ("", "Not Started", "Activating", "Activated", "Failed", "Something new")


@pytest.mark.parametrize(("status", "activation"), list(product(STATUSES, ACTIVATIONS)))
def test_every_pair_of_status_and_activation_has_its_stage(status: str, activation: str) -> None:
    ended = {"Rejected": "not_accepted", "Cancelled": "cancelled"}.get(status, "in_progress")
    order = SalesforceOrder("8", "", "1", status, activation, "", "vpn")
    assert order.stage == STAGES.get((status, activation), ended)
    assert order.stage in STAGE_WORDS


def test_an_order_line_survives_its_row() -> None:
    line = OrderLine("VPN-1", "VPN", "monthly", Money(980), "e1", None)
    assert OrderLine.from_json(line.to_json()) == line


@pytest.mark.parametrize(
    ("moment", "overdue"),
    [
        (datetime(2026, 11, 30, 14, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 30, 15, 0, tzinfo=UTC), True),
    ],
)
def test_an_unpaid_invoice_is_overdue_when_its_day_ends_in_japan(moment: datetime, overdue: bool) -> None:
    today = moment.astimezone(ZoneInfo("Asia/Tokyo")).date()
    assert INVOICE.is_overdue(today) is overdue


def test_only_an_unpaid_invoice_with_a_day_can_be_overdue() -> None:
    later = date(2027, 1, 1)
    assert not replace(INVOICE, status="paid").is_overdue(later)
    assert not replace(INVOICE, due_on=None).is_overdue(later)


def test_an_invoice_without_a_number_is_called_by_its_id() -> None:
    assert INVOICE.label == "7"
    assert replace(INVOICE, number="INV-7").label == "INV-7"
