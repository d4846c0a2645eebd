"""For any items the totals are the sum of the lines and tax is rounded once."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from portal_app.domain.catalog.plan import CatalogItem, Plan, monthly_of, one_time_of
from portal_app.domain.money import Money
from tests.support.values.sim_answers import SERVICE

PRICES = some.integers(min_value=0, max_value=10_000_000)
ITEMS = some.lists(some.tuples(PRICES, some.sampled_from(["monthly", "onetime"])), max_size=24)


def items_of(drawn: list[tuple[int, str]]) -> list[CatalogItem]:
    return [
        replace(SERVICE, sku=f"S{place}", price=Money(price), cycle=cycle, item_class="add-on")
        for place, (price, cycle) in enumerate(drawn)
    ]


@given(ITEMS)
def test_monthly_and_one_time_are_exactly_the_lines(drawn: list[tuple[int, str]]) -> None:
    items = items_of(drawn)
    assert (monthly_of(items) + one_time_of(items)).minor == sum(price for price, _ in drawn)
    assert monthly_of(items).minor == sum(price for price, cycle in drawn if cycle == "monthly")


@given(ITEMS, some.sampled_from([0, 8, 10]))
def test_tax_is_floored_once_and_never_more_than_it_would_be_exactly(drawn: list[tuple[int, str]], rate: int) -> None:
    percent = Decimal(rate)
    total = monthly_of(items_of(drawn))
    tax = total.tax(percent)
    assert tax.minor == total.minor * rate // 100
    assert total.with_tax(percent) == total + tax
    # Rounded per line it could only be less.
    assert sum(item.price.tax(percent).minor for item in items_of(drawn) if item.cycle == "monthly") <= tax.minor


@given(ITEMS, some.data())
def test_an_order_costs_its_plan_and_what_was_added(drawn: list[tuple[int, str]], data: some.DataObject) -> None:
    extras = items_of(drawn)
    plan = Plan(SERVICE, extras=tuple(extras))
    chosen = data.draw(some.lists(some.sampled_from(extras), unique=True)) if extras else []
    bought = plan.with_extras([item.sku for item in chosen])
    assert (monthly_of(bought) + one_time_of(bought)).minor == 2000 + sum(item.price.minor for item in chosen)
