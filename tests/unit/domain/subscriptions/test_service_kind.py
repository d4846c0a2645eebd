"""What a row of WHMCS's services is, and which line an add-on belongs to."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from portal_app.domain.catalog.plan import Category, ItemClass
from portal_app.domain.money import Money
from portal_app.domain.subscriptions.billing_cycle import BillingCycle
from portal_app.domain.subscriptions.service_kind import ProductClass, ServiceKind, category_of, product_classes
from portal_app.domain.subscriptions.subscription import Subscription, grouped, hanging_on
from portal_app.language import LANGUAGES, speaking
from portal_app.state.subscriptions.cancellation_words import consequences_of
from portal_app.state.subscriptions.standing import cycle_words, kind_words
from tests.support.builders import catalog_item

LINE = Subscription(
    1, 1, 181, 5, "光回線", "Internet", "active", BillingCycle.MONTHLY, Money(1), Money(1), None, date(2030, 1, 1),
    product=ProductClass("service", "internet"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("item_class", "cycle", "kind"),
    [
        ("service", "Monthly", "line"), ("service", "Free Account", "line"), ("service", "Weekly", "line"),
        ("service", "One-Time", "fee"), ("add-on", "Semi-Annually", "add-on"), ("add-on", "onetime", "fee"),
        ("installation", "Monthly", "instalment"), ("installation", "", "instalment"),
        ("installation", "free", "fee"), ("activation", "One Time", "fee"), (None, "One Time", "fee"),
        (None, "Monthly", "line"), (None, "Fortnightly", "line"),
    ],
)  # fmt: skip
def test_a_product_and_its_cycle_say_what_a_row_is(item_class: ItemClass | None, cycle: str, kind: ServiceKind) -> None:
    product = ProductClass(item_class, "internet") if item_class else None
    row = replace(LINE, product=product, cycle=BillingCycle(cycle))
    assert (row.kind, row.is_service) == (kind, kind in ("line", "add-on"))
    assert row.renews is (row.is_service and cycle not in ("Free Account", "One-Time"))
    assert row.is_live_line("internet") is (kind == "line")


@pytest.mark.parametrize(
    ("spellings", "cycle"),
    [
        ("One Time,One-Time,onetime,ONE TIME", BillingCycle.ONE_TIME),
        ("semiannually,Semi-Annually,Semi Annually", BillingCycle.SEMI_ANNUALLY),
        ("freeaccount,Free Account,free", BillingCycle.FREE),
        ("Monthly, monthly ", BillingCycle.MONTHLY),
        ("Fortnightly,,月額,None", BillingCycle.UNKNOWN),
    ],
)
def test_every_spelling_of_a_cycle_is_one_cycle(spellings: str, cycle: BillingCycle) -> None:
    assert {BillingCycle(word) for word in spellings.split(",")} == {cycle}


def test_cycles_and_kinds_have_words_in_every_language() -> None:
    fee, instalment = (replace(LINE, product=ProductClass("installation", "internet"), cycle=cycle)
                       for cycle in (BillingCycle.ONE_TIME, BillingCycle.MONTHLY))  # fmt: skip
    said = []
    for language in LANGUAGES:
        with speaking(language):
            said.append([*map(cycle_words, BillingCycle), *map(kind_words, (LINE, fee, instalment))])
    for english, japanese in zip(*said, strict=True):
        assert english != japanese and not japanese.isascii()


@pytest.mark.parametrize(
    ("product", "group", "category"),
    [
        (ProductClass("service", "internet"), "SIM", "internet"),
        (None, "Mobile SIM", "sim"), (None, "eSIM plans", "sim"), (None, "Fiber", "internet"),
        (None, "Internet", "internet"), (None, "VPN", "vpn"), (None, "Simple hosting", "other"), (None, "", "other"),
    ],
)  # fmt: skip
def test_a_category_follows_from_product_or_group_and_never_from_a_name(
    product: ProductClass | None, group: str, category: Category
) -> None:
    assert category_of(product, group) == category
    row = replace(LINE, product=product, group=group, name="SonixNet SIM VPN Internet")
    assert row.category == category


def test_products_no_longer_sold_still_say_what_their_services_are() -> None:
    old = replace(catalog_item(), item_class="installation", category="internet", whmcs_product_id=7, is_sold=False)
    now_sold = replace(old, item_class="service", is_sold=True)
    unknown = replace(old, whmcs_product_id=None)
    assert product_classes([old, unknown]) == {7: ProductClass("installation", "internet")}
    assert product_classes([now_sold, old]) == {7: ProductClass("service", "internet")}


def test_cancelling_an_add_on_does_not_warn_of_the_end_of_its_line() -> None:
    add_on = replace(LINE, product=ProductClass("add-on", "internet"))
    of_line, of_add_on = (" ".join(consequences_of(service, [LINE])) for service in (LINE, add_on))
    assert "NTT" in of_line and "NTT" not in of_add_on and "line stays" in of_add_on
    phone = replace(add_on, id=2, name="ひかり電話")
    assert "ひかり電話 ends with it." in consequences_of(LINE, [LINE, phone])


def test_add_ons_stand_below_their_line_and_fees_nowhere() -> None:
    def row(number: int, item_class: ItemClass, category: Category, order: int | None, cycle: str = "monthly"):
        product = ProductClass(item_class, category)
        return replace(LINE, id=number, order_id=order, product=product, cycle=BillingCycle(cycle))

    rows = [
        row(9, "add-on", "sim", 4), row(8, "service", "sim", 3), row(7, "service", "sim", 2),
        row(6, "add-on", "internet", 99), row(5, "installation", "internet", 1), row(4, "add-on", "internet", 1),
        row(3, "service", "internet", 1), row(2, "activation", "sim", 2, "onetime"), row(1, "add-on", "sim", 2),
    ]  # fmt: skip
    shown = [(group.line.id, [add_on.id for add_on in group.add_ons]) for group in grouped(rows)]
    # 9: two SIM lines could be its own; 6: added later to the only fibre line.
    assert shown == [(9, []), (8, []), (7, [1]), (3, [6, 4])]


def test_add_ons_and_instalments_end_with_their_line_and_with_no_other() -> None:
    def row(number: int, item_class: ItemClass, order: int, category: Category = "internet", **changed: Any):
        return replace(LINE, id=number, order_id=order, product=ProductClass(item_class, category), **changed)

    line, other = row(1, "service", 1), row(2, "service", 2)
    rows = [
        line, row(3, "add-on", 1), row(4, "installation", 1), row(5, "add-on", 1, status="cancelled"),
        row(6, "installation", 1, cycle=BillingCycle.ONE_TIME), row(7, "add-on", 1, "sim"), row(8, "add-on", 2),
        row(9, "add-on", 77),
    ]  # fmt: skip

    def ids(number: int, of: list[Subscription]) -> tuple[list[int], list[int]]:
        found = hanging_on(number, of)
        return [each.id for each in found.own], [each.id for each in found.doubtful]

    # 9 was added later: to the only line, or nobody knows to which of two.
    assert ids(1, rows) == ([3, 4, 8, 9], [])
    assert ids(1, [*rows, other]) == ([3, 4], [9])
    assert ids(2, [*rows, replace(other, status="cancelled")]) == ([8], [])
    assert ids(3, rows) == ids(99, rows) == ([], [])
