"""The services a customer has: from a mirror that is updated when it is old."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from portal_app.domain.errors import ExternalError, NotFound
from portal_app.domain.ports.billing import SubscriptionGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.service_kind import ProductClass
from portal_app.domain.subscriptions.subscription import Services, Subscription
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache, CachedBytes, Entry
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.redis.tags import customer_tag
from portal_app.infra.settings import Settings
from portal_app.services.mirrors.freshness import Freshness
from portal_app.services.subscriptions.mirror import SERVICES, ServiceMirror

# Returns what the catalogue says of WHMCS's products, by their ids. Raises ExternalUnavailable.
Products = Callable[[], Awaitable[Mapping[int, ProductClass]]]
_log = structlog.get_logger(__name__)


class Subscriptions:
    """What a customer has."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        cache: Cache,
        gateway: SubscriptionGateway,
        *,
        products: Products,
        live: LiveUpdates,
    ) -> None:
        self._seconds = settings.cache_subscriptions_seconds
        self._gateway = gateway
        self._products = products
        self._cache = cache
        self.mirror = ServiceMirror(database)
        self.freshness = Freshness(SERVICES, self._read, settings=settings, database=database, cache=cache, live=live)

    async def subscriptions_for(self, customer: Customer) -> Services:
        """Return all services, newest first; saved ones when WHMCS is slow or away. Raises ExternalUnavailable."""
        seen = await self.freshness.get_fresh(customer, self._seconds)
        return Services(await self.mirror.all(customer), as_of=seen.as_of)

    async def services_bytes(self, customer: Customer, write: Callable[[Services], Awaitable[bytes]]) -> bytes:
        """Return all services as `write` writes them, cached while fresh and until something of the customer's changes.

        Older data are not cached. Raises ExternalUnavailable.
        """

        async def compute() -> CachedBytes:
            seen = await self.freshness.get_fresh(customer, self._seconds)
            found = Services(await self.mirror.all(customer), as_of=seen.as_of)
            return CachedBytes(await write(found), seen.seconds_left(int(self._seconds)))

        return await self._cache.get_or_set_bytes(self.cache_entry(customer.user_id), compute)

    @staticmethod
    def cache_entry(user_id: UUID) -> Entry:
        """Return the cache entry of the written list."""
        return Entry(f"services:{user_id}", (customer_tag(user_id),))

    async def subscription_for(self, customer: Customer, service_id: int) -> tuple[Subscription, datetime | None]:
        """Return one service and, for saved data, its time. Raises NotFound, also for somebody else's."""
        services = await self.subscriptions_for(customer)
        for service in services.rows:
            if service.id == service_id:
                return service, services.as_of
        raise NotFound("not among the customer's services")

    async def mark_stale(self, customer: Customer) -> None:
        """Note that services changed at WHMCS: the next reader updates the mirror."""
        await self.freshness.mark_stale(customer)

    async def read_classified(self, customer: Customer) -> list[Subscription]:
        """Return all services as WHMCS has them now, with what the catalogue says of their products.

        While the catalogue is unknown, what was saved of the same products stays. Raises ExternalUnavailable.
        """
        client_id = customer.whmcs_client_id
        found, products = await asyncio.gather(self._gateway.subscriptions(client_id), self._known_products(customer))
        for place, service in enumerate(found):
            found[place] = replace(service, product=products.get(service.product_id))
        return found

    async def _known_products(self, customer: Customer) -> Mapping[int, ProductClass]:
        try:
            return await self._products()
        except ExternalError as error:
            _log.info("subscriptions.products_unknown", error=type(error).__name__)
        return {saved.product_id: saved.product for saved in await self.mirror.all(customer) if saved.product}

    async def _read(self, customer: Customer, asked_at: datetime) -> bool:
        found = await self.read_classified(customer)
        return await self.mirror.write_list(customer, found, asked_at=asked_at)
