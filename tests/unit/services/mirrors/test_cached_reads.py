"""A slow vendor: no request exceeds its deadline, started reads continue, and open pages get the result."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from pydantic import TypeAdapter
from redis.asyncio import Redis

from portal_app.domain.errors import ExternalUnavailable, OutcomeUnknown
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.identity.context import ServiceContext
from portal_app.services.mirrors.cached_reads import CachedRead, CachedReads, SavedRead
from portal_app.services.profile.profiles import Profiles
from tests.support.vendors.billing_fixtures import billing_services_of, customer, make_customer
from tests.support.vendors.billing_services import BillingServices
from tests.support.vendors.fake_vendors import PLAN, FakeCatalog, FakeWhmcs
from tests.support.vendors.late_bills import bill
from tests.support.waiting import LONGEST_SECONDS

__all__ = ["billing_services_of", "customer", "make_customer"]


@pytest.fixture
def hurried(settings: Settings) -> Settings:
    return settings.model_copy(update={"mirror_patience_seconds": 1.0})


async def next_change(redis: Redis, act: Callable[[], Awaitable[None]]) -> Change:
    """Act, and return the next change pushed to open pages."""
    changes = LiveUpdates(redis, Cache(redis)).changes()
    first = asyncio.create_task(anext(changes))
    while not (await redis.pubsub_numsub("portal:live"))[0][1]:
        await asyncio.sleep(0.01)
    await act()
    found = await asyncio.wait_for(first, LONGEST_SECONDS)
    await changes.aclose()  # type: ignore[attr-defined]
    return found


def answering(fake_whmcs: FakeWhmcs) -> Callable[[], Awaitable[None]]:
    """Return what lets a slow WHMCS answer."""

    async def answer() -> None:
        assert fake_whmcs.is_slow
        fake_whmcs.is_slow.set()

    return answer


async def test_a_slow_catalogue_is_unknown_until_it_was_read(hurried: Settings, redis: Redis) -> None:
    cache, fake_catalog, fake_whmcs = (
        Cache(redis),
        FakeCatalog(is_slow=asyncio.Event()),
        FakeWhmcs(is_slow=asyncio.Event()),
    )
    reads = CachedReads(hurried, cache, LiveUpdates(redis, cache))
    catalog = Catalog(cache, fake_catalog, fake_whmcs, reads=reads)  # type: ignore[arg-type]
    await catalog.invalidate()
    with pytest.raises(ExternalUnavailable):
        await catalog.plan(PLAN.sku)
    assert fake_catalog.is_slow and fake_whmcs.is_slow
    fake_catalog.is_slow.set()
    # The price is known; whether WHMCS bills the same is not.
    assert not (await catalog.plan(PLAN.sku)).is_orderable
    fake_whmcs.is_slow.set()
    assert (await catalog.plan(PLAN.sku)).is_orderable
    assert fake_whmcs.asked == ["prices"]
    await cache.close()


async def test_slow_customer_data_are_pushed_when_they_arrive(
    hurried: Settings, identity: ServiceContext, redis: Redis, customer: Customer
) -> None:
    cache, fake_whmcs = Cache(redis), FakeWhmcs(is_slow=asyncio.Event())
    live = LiveUpdates(redis, cache)
    base = replace(identity, reads=CachedReads(hurried, cache, live))
    profiles = Profiles(base, fake_whmcs, live)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(ExternalUnavailable):
            await profiles.profile_for(customer)
    change = await next_change(redis, answering(fake_whmcs))
    assert (change.user_id, change.topic) == (customer.user_id, "account")
    assert (await profiles.profile_for(customer)).person.first_name == "Aiko"
    assert fake_whmcs.asked == ["person"]
    await cache.close()


async def test_a_slow_answer_that_is_only_cached_is_pushed_when_it_arrives(
    hurried: Settings, redis: Redis, customer: Customer
) -> None:
    cache, fake_whmcs = Cache(redis), FakeWhmcs(is_slow=asyncio.Event())

    async def read() -> int:
        return len(await fake_whmcs.payment_methods(1))

    reads = CachedReads(hurried, cache, LiveUpdates(redis, cache))
    what = CachedRead("cards:1", "whmcs", TypeAdapter(int), read, 60, change=Change(customer.user_id, "billing"))
    with pytest.raises(ExternalUnavailable):
        await reads.get(what)
    assert (await next_change(redis, answering(fake_whmcs))).topic == "billing"
    assert await reads.get(what) == 1 and fake_whmcs.asked == ["methods"]
    await cache.close()


def never_fresh(fake_whmcs: FakeWhmcs, tell: Change) -> SavedRead[None]:
    """Return a read of a person of whom nothing is ever saved."""

    async def load() -> None:
        """Return nothing."""

    async def update(_: None) -> bool:
        await fake_whmcs.person(1)
        return False

    return SavedRead("person", "whmcs", load, lambda _: False, update, change=tell)


async def test_late_reads_are_pushed_to_every_waiting_page_and_outages_are_not(
    hurried: Settings, redis: Redis, customer: Customer
) -> None:
    cache, fake_whmcs, tell = Cache(redis), FakeWhmcs(is_slow=asyncio.Event()), Change(customer.user_id, "account")
    reads = CachedReads(hurried, cache, LiveUpdates(redis, cache))

    async def look() -> None:
        _, error = await reads.get_saved(never_fresh(fake_whmcs, tell))
        if error is not None:
            raise error

    with pytest.raises(ExternalUnavailable):
        await look()

    async def answer_while_another_waits() -> None:
        assert fake_whmcs.is_slow
        other = asyncio.create_task(look())
        await asyncio.sleep(0.02)
        fake_whmcs.is_slow.set()
        await other

    assert (await next_change(redis, answer_while_another_waits)).user_id == customer.user_id
    fake_whmcs.is_away = True
    with pytest.raises(ExternalUnavailable):
        await look()
    fake_whmcs.is_away = False

    async def look_and_end() -> None:
        await look()
        await LiveUpdates(redis, cache).publish(Change(customer.user_id, "end"))

    assert (await next_change(redis, look_and_end)).topic == "end"
    await cache.close()


@pytest.mark.parametrize("fails", [False, True])
async def test_a_slow_change_continues_and_open_pages_show_how_it_ended(
    web: Database,
    billing_services_of: Callable[..., BillingServices],
    redis: Redis,
    customer: Customer,
    fails: bool,
) -> None:
    fake_whmcs = FakeWhmcs(is_slow=asyncio.Event(), is_away=fails)
    billing_services = billing_services_of(web, fake_whmcs, mirror_patience_seconds=0.1)
    with pytest.raises(OutcomeUnknown):
        await billing_services.payments.make_default(customer, 1)
    change = await next_change(redis, answering(fake_whmcs))
    assert (change.user_id, change.topic) == (customer.user_id, "billing")
    await billing_services.payments.close()


async def test_paying_requests_only_the_sign_on_link(
    web: Database, billing_services_of: Callable[..., BillingServices], customer: Customer
) -> None:
    fake_whmcs, invoice = FakeWhmcs(), bill(customer.whmcs_client_id)
    fake_whmcs.bills[invoice.id] = invoice
    billing_services = billing_services_of(web, fake_whmcs)
    await billing_services.billing.invoices_for(customer)
    fake_whmcs.asked.clear()
    assert str(invoice.id) in await billing_services.billing.pay_link(customer, invoice.id)
    assert fake_whmcs.asked == ["link"]
    hasty = billing_services_of(web, fake_whmcs, mirror_patience_seconds=0.05)
    fake_whmcs.is_slow = asyncio.Event()
    with pytest.raises(ExternalUnavailable):
        await hasty.billing.pay_link(customer, invoice.id)
