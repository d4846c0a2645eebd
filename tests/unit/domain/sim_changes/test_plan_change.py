"""Plan changes: the cut-off at month ends, which plans a line may have, and what issued invoices are wrong by."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from portal_app.domain.billing.invoice import Invoice, InvoiceLine
from portal_app.domain.catalog.plan import CatalogItem
from portal_app.domain.money import Money
from portal_app.domain.sim_changes.plan_change import overbilled, plan_choices, plan_schedule

JAPAN = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("asked", "days", "effective_on", "withdraw_until"),
    [
        ("2026-11-25T23:59:59", 1, "2026-12-01", "2026-11-29"),
        ("2026-11-26T00:00:00", 1, "2026-12-01", "2026-11-29"),
        ("2026-11-29T23:59:59", 1, "2026-12-01", "2026-11-29"),
        ("2026-11-30T00:00:00", 1, "2027-01-01", "2026-12-30"),
        ("2026-12-30T23:59:59", 1, "2027-01-01", "2026-12-30"),
        ("2026-12-31T00:00:00", 1, "2027-02-01", "2027-01-30"),
        ("2027-02-27T23:59:59", 1, "2027-03-01", "2027-02-27"),
        ("2027-02-28T00:00:00", 1, "2027-04-01", "2027-03-30"),
        ("2028-02-28T23:59:59", 1, "2028-03-01", "2028-02-28"),
        ("2028-02-29T00:00:00", 1, "2028-04-01", "2028-03-30"),
        ("2026-11-30T23:59:59", 0, "2026-12-01", "2026-11-30"),
        ("2026-12-01T00:00:00", 0, "2027-01-01", "2026-12-31"),
        ("2026-11-25T23:59:59", 5, "2026-12-01", "2026-11-25"),
        ("2026-11-26T00:00:00", 5, "2027-01-01", "2026-12-26"),
        ("2027-02-01T00:00:00", 27, "2027-03-01", "2027-02-01"),
    ],
)
def test_a_plan_begins_on_the_first_after_the_cut_off(
    asked: str, days: int, effective_on: str, withdraw_until: str
) -> None:
    found = plan_schedule(datetime.fromisoformat(asked).replace(tzinfo=JAPAN), days_before_end=days)
    assert (found.effective_on.isoformat(), found.withdraw_until.isoformat()) == (effective_on, withdraw_until)
    assert found.sends_at.astimezone(JAPAN).time().isoformat() == "00:00:00"


def item(product: int, price: int, *, kind: str = "DataSmsVoice", **changes: object) -> CatalogItem:
    base = CatalogItem(
        sku=f"SKU-{product}", name=f"Plan {product}", category="sim", item_class="service", cycle="monthly",
        price=Money(price), product_id="x", pricebook_entry_id="x", whmcs_product_id=product, choosable=True,
        orderable=True, auto_add=False, order=product, details=(("Kind", kind),),
        has_voice=kind == "DataSmsVoice", sim_plan_code=f"P{product}",
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_line_may_have_plans_of_its_kind_and_family_that_are_sold_at_their_price() -> None:
    items = [
        item(1, 2550), item(2, 3500), item(3, 1900), item(4, 3200, is_family=True), item(5, 1500, kind="DataOnly"),
        item(6, 1700, kind="DataSms"), item(7, 9000, is_sold=False), item(8, 9000, choosable=False),
        item(9, 9000, is_billed_alike=False), item(10, 9000, sim_plan_code=""),
    ]  # fmt: skip
    present, others = plan_choices(items, 1)
    assert present is not None and present.product_id == 1
    assert [each.product_id for each in others] == [3, 2]
    assert [plan_choices(items, product)[1] for product in (4, 5, 6)] == [[], [], []]
    assert plan_choices(items, 99) == (None, [])


@pytest.mark.parametrize(
    ("status", "due_on", "service_id", "amount", "wrong"),
    [
        ("unpaid", date(2026, 12, 10), 7, 2550, True),
        ("paid", date(2026, 12, 1), 7, 2550, True),
        ("payment_pending", date(2026, 12, 1), 7, 2550, True),
        ("unpaid", date(2026, 11, 30), 7, 2550, False),
        ("cancelled", date(2026, 12, 10), 7, 2550, False),
        ("refunded", date(2026, 12, 10), 7, 2550, False),
        ("unpaid", date(2026, 12, 10), 8, 2550, False),
        ("unpaid", date(2026, 12, 10), 7, 3500, False),
        ("unpaid", None, 7, 2550, False),
    ],
)
def test_an_invoice_of_a_later_period_at_the_old_price_is_wrong(
    status: str, due_on: date | None, service_id: int, amount: int, wrong: bool
) -> None:
    none = Money(0)
    line = InvoiceLine("SIM 10GB", Money(amount), taxed=True, service_id=service_id)
    invoice = Invoice(
        id=1, number="", client_id=1, status=status, issued_on=None, due_on=due_on, paid_at=None,  # type: ignore[arg-type]
        subtotal=none, tax=none, credit=none, total=none, lines=(line,),
    )  # fmt: skip
    found = overbilled([invoice], 7, effective_on=date(2026, 12, 1), old=Money(2550), new=Money(3500))
    assert found == ((Money(950), [1]) if wrong else (Money(0), []))
