"""The billing services of one process over any billing system, and a check that mirrors equal it."""

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import InvoiceQuery
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.billing.whmcs_sso import WhmcsSso
from portal_app.services.inbound.billing_changes import BillingChanges
from portal_app.services.operations.mirror_refresh import MirrorRefresh
from portal_app.services.subscriptions.subscriptions import Subscriptions
from tests.support.vendors.fake_vendors import listed, no_products
from tests.support.vendors.late_bills import DelayedWhmcs


@dataclass
class BillingServices:
    """The services of one process over a billing system."""

    billing: Billing
    subscriptions: Subscriptions
    payments: Payments
    changes: BillingChanges
    mirror_refresh: MirrorRefresh

    @classmethod
    def over(cls, gateway: Any, database: Database, redis: Redis, settings: Settings) -> "BillingServices":
        """Join the services as the portal does."""
        cache, links = Cache(redis), WhmcsSso(settings, database, gateway)
        live = LiveUpdates(redis, cache)
        parts = (settings, database, cache, gateway)
        billing = Billing(*parts, live=live, sso=links)
        payments = Payments(*parts, live=live, sso=links)
        services = Subscriptions(*parts, products=no_products, live=live)
        vendors: Any = SimpleNamespace(invoices=gateway, subscriptions=gateway, whmcs_orders=gateway)
        is_published = BillingChanges(
            database, vendors, billing=billing, payments=payments, subscriptions=services, live=live
        )
        mirror_refresh = MirrorRefresh(
            settings, database, billing=billing, payments=payments, subscriptions=services, live=live
        )
        return cls(billing, services, payments, is_published, mirror_refresh)


async def mirrored(billing_services: BillingServices, customer: Customer) -> dict[int, Invoice]:
    """Return the invoices of a customer's mirror."""
    found = await billing_services.billing.lists.listing(customer, InvoiceQuery(limit=1000))
    return {one.id: one for one in found.rows}


def as_shown(true: Invoice | None, shown: Invoice | None) -> Invoice | None:
    """Return an invoice as a page that shows `shown` has to show it: without lines if `shown` has none."""
    if true is None:
        return None
    return replace(true if shown is None or shown.lines else listed(true), updated_at=None)


async def untruths(
    billing_services: BillingServices, bills: DelayedWhmcs, customers: list[Customer]
) -> list[tuple[Any, Any]]:
    """Return the differences between mirrors and billing system as pairs: mirrored, actual."""
    found: list[tuple[Any, Any]] = []
    for customer in customers:
        true = {one.id: one for one in bills.bills.values() if one.client_id == customer.whmcs_client_id}
        kept = {
            number: replace(one, updated_at=None)
            for number, one in (await mirrored(billing_services, customer)).items()
        }
        pairs = [(kept.get(number), as_shown(true.get(number), kept.get(number))) for number in {*true, *kept}]
        own = {one.id: one for one in bills.services.values() if one.client_id == customer.whmcs_client_id}
        services = {one.id: one for one in await billing_services.subscriptions.mirror.all(customer)}
        found += [*pairs, *((services.get(number), own.get(number)) for number in {*own, *services})]
    return [pair for pair in found if pair[0] != pair[1]]


async def is_published(heard: Any, redis: Redis, customer: Customer) -> bool:
    """Say whether a change of a customer was published up to now."""
    mark = uuid4().hex
    await redis.publish("portal:live", json.dumps({"user": mark}))
    users = set()
    while mark not in users:
        message = await heard.get_message(ignore_subscribe_messages=True, timeout=5)
        if message is not None:
            users.add(json.loads(message["data"])["user"])
    return str(customer.user_id) in users
