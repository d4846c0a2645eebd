"""The services that place an order, joined to vendors in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from redis.asyncio import Redis

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.security.tokens import RandomTokens
from portal_app.infra.settings import Settings
from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.billing.whmcs_sso import WhmcsSso
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.checkout.checkout import Checkout, CheckoutContext
from portal_app.services.checkout.drafts import Drafts
from portal_app.services.idempotency import Idempotency
from portal_app.services.identity.context import ServiceContext
from portal_app.services.internet.eligibility import EligibilityChecks
from portal_app.services.internet.eligibility_answers import EligibilityAnswers
from portal_app.services.orders.orders import Orders
from tests.support.values.users import new_user
from tests.support.vendors.fake_vendors import Agents, FakeCatalog, FakeWhmcs

_NUMBERS = count(1000)


def bill(customer: Customer, *, total: int = 1078) -> Invoice:
    nothing = Money(0)
    return Invoice(
        id=next(_NUMBERS),
        number="",
        client_id=customer.whmcs_client_id,
        status="unpaid",
        issued_on=None,
        due_on=None,
        paid_at=None,
        subtotal=nothing,
        tax=nothing,
        credit=nothing,
        total=Money(total),
    )


@dataclass
class OrderingServices:
    """The services under test, joined to vendors in memory."""

    orders: Orders
    idempotency: Idempotency
    drafts: Drafts
    billing: Billing
    payments: Payments
    catalog: Catalog
    fake_catalog: FakeCatalog
    fake_whmcs: FakeWhmcs
    checks: EligibilityChecks
    answers: EligibilityAnswers
    agents: Agents


@pytest.fixture
async def ordering(
    settings: Settings, web: Database, worker: Database, redis: Redis, identity: ServiceContext
) -> OrderingServices:
    cache, fake_catalog, fake_whmcs, agents = Cache(redis), FakeCatalog(), FakeWhmcs(), Agents()
    email_outbox, queue = identity.email_outbox, identity.queue
    live = LiveUpdates(redis, cache)
    parts: Any = (settings, web, cache, fake_whmcs)
    catalog, links = Catalog(cache, fake_catalog, fake_whmcs, reads=identity.reads), WhmcsSso(settings, web, fake_whmcs)  # type: ignore[arg-type]
    billing = Billing(*parts, live=live, sso=links)
    payments = Payments(*parts, live=live, sso=links)
    await catalog.invalidate()
    checks = EligibilityChecks(identity, agents, fake_whmcs, live)  # type: ignore[arg-type]
    answers = EligibilityAnswers(worker, agents, email_outbox=email_outbox, live=live)  # type: ignore[arg-type]
    vendors: Any = {
        "payments": payments,
        "subscriptions": fake_whmcs,
        "profiles": fake_whmcs,
        "checks": checks,
        "identity": fake_whmcs,
        "limits": identity.customer_limits,
    }
    checkout = Checkout(settings, catalog, CheckoutContext(**vendors))
    drafts = Drafts(web, checkout)
    once = Idempotency(settings, web, RandomTokens("secret"))
    orders = Orders(web, checkout, drafts, email_outbox=email_outbox, queue=queue, live=live)
    return OrderingServices(
        orders, once, drafts, billing, payments, catalog, fake_catalog, fake_whmcs, checks, answers, agents
    )


@pytest.fixture
async def make_customer(web: Database, ring: KeyRing) -> Callable[[], object]:
    async def make() -> Customer:
        number = next(_NUMBERS)
        return Customer(await new_user(web, ring), number, f"001{number}", f"003{number}", f"C{number:08d}")

    return make


@pytest.fixture
async def customer(make_customer: Callable[[], object]) -> Customer:
    return await make_customer()  # type: ignore[misc]
