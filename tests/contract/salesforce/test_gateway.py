"""What every Salesforce must do for the portal: the sandbox always, a test org when CONTRACT_SALESFORCE_ENV names one.

It leaves accounts, contacts and orders behind, and uses no switch of the sandbox's.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from portal_app.domain.catalog.plan import CatalogItem
from portal_app.domain.errors import ExternalRejected, NotFound
from portal_app.domain.orders.order import NewSalesforceOrder, OrderLine
from portal_app.domain.ports.billing import BillingOrder
from portal_app.domain.ports.crm import CrmCustomer
from portal_app.domain.profile.customer import Profile
from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings
from portal_app.integrations.build import Vendors, build_vendors
from tests.contract.systems import SANDBOX, settings_of_test_system, systems
from tests.support.running.vendor_servers import RunningSandbox
from tests.support.values.people import ADDRESS, PERSON


@pytest.fixture(params=systems("salesforce"))
def settings(request: pytest.FixtureRequest) -> Settings:
    if request.param == SANDBOX:
        sandbox: RunningSandbox = request.getfixturevalue("sandbox")
        return sandbox.settings
    return settings_of_test_system("salesforce")


@pytest.fixture
async def vendors(settings: Settings, redis: Redis) -> AsyncIterator[Vendors]:
    vendors = build_vendors(settings, redis, Database(settings, "web"))
    yield vendors
    await vendors.close()


@pytest.fixture
async def customer(vendors: Vendors) -> CrmCustomer:
    return await vendors.crm.upsert_customer(
        profile(), user_id=uuid4(), customer_number=number(), whmcs_client_id=999_999
    )


def profile() -> Profile:
    return Profile.parse(f"{uuid4().hex}@example.jp", {**PERSON, **ADDRESS})


def number() -> str:
    return f"T{uuid4().int % 10**8:08}"


def line(item: CatalogItem) -> OrderLine:
    return OrderLine(item.sku, item.name, item.cycle, item.price, item.pricebook_entry_id, item.whmcs_product_id)


async def new_order(vendors: Vendors, customer: CrmCustomer) -> NewSalesforceOrder:
    items = [item for item in await vendors.catalog.items() if item.category == "vpn"]
    lines = tuple(line(item) for item in items[:2])
    return NewSalesforceOrder(uuid4(), customer.account_id, "vpn", lines, datetime.now(UTC))


async def test_the_catalogue_has_services_with_ids_and_prices(vendors: Vendors) -> None:
    items = await vendors.catalog.items()
    assert any(item.item_class == "service" and item.choosable for item in items)
    assert all(item.price.minor >= 0 and len(item.pricebook_entry_id) == 18 for item in items)


async def test_a_customer_is_created_once_and_found_by_number(vendors: Vendors) -> None:
    person, user_id, known_as = profile(), uuid4(), number()
    assert await vendors.crm.find_customer(known_as) is None
    first, again = [
        await vendors.crm.upsert_customer(person, user_id=user_id, customer_number=known_as, whmcs_client_id=999_999)
        for _ in range(2)
    ]
    assert first == again == await vendors.crm.find_customer(known_as)


async def test_half_a_customer_is_never_created(vendors: Vendors) -> None:
    known_as, too_long = number(), replace(profile(), first_name="x" * 41)
    with pytest.raises(ExternalRejected):
        await vendors.crm.upsert_customer(too_long, user_id=uuid4(), customer_number=known_as, whmcs_client_id=999_999)
    assert await vendors.crm.find_customer(known_as) is None


async def test_an_order_is_handed_over_once_and_read_back(vendors: Vendors, customer: CrmCustomer) -> None:
    began, new = datetime.now(UTC) - timedelta(minutes=2), await new_order(vendors, customer)
    first, again = await vendors.crm.upsert_order(new), await vendors.crm.upsert_order(new)
    order = await vendors.crm.order(first)
    assert first == again == order.id and (order.stage, order.portal_order_id) == ("in_review", str(new.order_id))
    assert await vendors.crm.orders([first]) == [order]
    assert order in await vendors.crm.orders_changed_since(began)


async def test_an_order_with_a_line_of_another_org_is_not_created(vendors: Vendors, customer: CrmCustomer) -> None:
    began, new = datetime.now(UTC) - timedelta(minutes=2), await new_order(vendors, customer)
    broken = replace(new, lines=(*new.lines, replace(new.lines[0], pricebook_entry_id="01uxx0000000001AAA")))
    with pytest.raises((ExternalRejected, NotFound)):
        await vendors.crm.upsert_order(broken)
    seen = await vendors.crm.orders_changed_since(began)
    assert str(new.order_id) not in [order.portal_order_id for order in seen]


async def test_an_order_fails_and_becomes_active_as_the_portal_writes(vendors: Vendors, customer: CrmCustomer) -> None:
    order_id = await vendors.crm.upsert_order(await new_order(vendors, customer))
    await vendors.crm.order_failed(order_id, code="c" * 100, message="あ" * 300)
    assert (await vendors.crm.order(order_id)).stage == "needs_attention"
    await vendors.crm.order_billed(order_id, billing=BillingOrder(41, (71, 72), 5))
    for _ in range(2):
        await vendors.crm.order_activated(order_id)
    order = await vendors.crm.order(order_id)
    assert (order.stage, order.whmcs_order_id) == ("active", "41")


@pytest.mark.parametrize("unknown", ["801xx0000009999", "not-an-id", "https://evil.example/"])
async def test_an_unknown_order_is_not_found(vendors: Vendors, unknown: str) -> None:
    with pytest.raises(NotFound):
        await vendors.crm.order(unknown)
