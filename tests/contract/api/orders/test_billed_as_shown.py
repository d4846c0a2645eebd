"""For any combination of the catalogue the checkout shows the first bill that WHMCS makes, to the yen."""

from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from portal_app.domain.catalog.plan import CATEGORIES, Plan
from portal_app.domain.checkout.installation import installation_choices
from portal_app.domain.checkout.options import INSTALLATIONS
from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.domain.profile.customer import Profile
from portal_app.wiring.portal import Portal
from tests.support.generated import examples
from tests.support.values.people import ADDRESS, PERSON

_LATER = tuple(INSTALLATIONS.values())


def chosen(plan: Plan, data: Any) -> tuple[str, ...]:
    """Draw what is added to a plan: one way to pay an installation where it needs one, and any of the rest."""
    rest = [extra.sku for extra in plan.extras if extra.sku not in _LATER]
    ways = [choice.sku for choice in installation_choices(plan)]
    added = data.draw(some.lists(some.sampled_from(rest), unique=True)) if rest else []
    return (*([data.draw(some.sampled_from(ways))] if ways else []), *added)


@cache
def clients() -> dict[str, int]:
    """The one client of this test, once made."""
    return {}


async def client_of(worker: Portal) -> int:
    """Return a client who buys everything."""
    if not clients():
        email = f"{uuid4().hex}@example.jp"
        profile = Profile.parse(email, {**PERSON, **ADDRESS})
        number = f"C{uuid4().int % 10**8:08}"
        clients()[email] = await worker.vendors.clients.add_client(profile, customer_number=number, password="x" * 20)
    return next(iter(clients().values()))


@pytest.mark.examples
@settings(**examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
async def test_the_first_bill_is_what_the_checkout_showed(worker: Portal, data: some.DataObject) -> None:
    plans = await worker.catalog.plans(data.draw(some.sampled_from(CATEGORIES)))
    plan = data.draw(some.sampled_from(plans))
    items = plan.with_extras(chosen(plan, data))
    shown = Money.total(item.price for item in items)
    lines = [OrderLine.from_item(item) for item in items]
    client_id, vendors = await client_of(worker), worker.vendors
    placed = await vendors.whmcs_orders.add_order(client_id, lines, reference=uuid4().hex)
    assert placed.invoice_id is not None
    bill = await vendors.invoices.invoice(client_id, placed.invoice_id)
    assert (bill.subtotal, bill.tax, bill.total) == (shown, shown.tax(), shown.with_tax())
    assert sorted(line.amount for line in bill.lines) == sorted(line.price for line in lines)
