"""The catalogue: products of Salesforce compared with the prices WHMCS bills, cached until a change event."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import structlog
from pydantic import TypeAdapter

from portal_app.domain.catalog.plan import CatalogItem, Category, Plan, plans_of
from portal_app.domain.checkout.installation import unequal_instalments
from portal_app.domain.errors import ExternalError, NotFound
from portal_app.domain.money import Money
from portal_app.domain.ports.billing import ProductPriceGateway
from portal_app.domain.ports.catalog import CatalogGateway
from portal_app.domain.sim.sim_plan import SimPlan, sim_plans
from portal_app.domain.subscriptions.service_kind import ProductClass, product_classes
from portal_app.infra.metrics import gauge
from portal_app.infra.redis.cache import Cache, CachedBytes, Entry
from portal_app.infra.redis.tags import CATALOG
from portal_app.infra.tasks.current_customer import working_for
from portal_app.services.mirrors.cached_reads import CachedRead, CachedReads

# Cached response bodies expire, because a new release may change their format.
_BODY_SECONDS = 300
Value = TypeVar("Value")
Prices = dict[int, dict[str, Money]]
_ITEMS = TypeAdapter(list[CatalogItem])
_PRICES = TypeAdapter(Prices)
_DIFFERENT = gauge("portal_catalog_price_differences", "Products that WHMCS bills otherwise than shown", merge="max")
_log = structlog.get_logger(__name__)


class Catalog:
    """Plans and prices. A plan that WHMCS would bill differently is shown but cannot be ordered."""

    def __init__(
        self, cache: Cache, gateway: CatalogGateway, prices: ProductPriceGateway, *, reads: CachedReads
    ) -> None:
        self._cache = cache
        self._reads = reads
        self._products = CachedRead("catalog:items:2", "salesforce", _ITEMS, _for_all(gateway.items), None, (CATALOG,))
        self._prices = CachedRead("catalog:billed", "whmcs", _PRICES, _for_all(prices.product_prices), None, (CATALOG,))
        # The cached bytes last seen and the items parsed from them, so that they are parsed once per change.
        self._parsed: tuple[tuple[bytes, bytes | None], list[CatalogItem]] = (b"", None), []
        self._classes: tuple[bytes, dict[int, ProductClass]] = b"", {}
        self._sim_plans: tuple[bytes, dict[int, SimPlan]] = b"", {}
        self._reported: frozenset[str] | None = None
        self._reported_unequal: frozenset[str] = frozenset()

    async def plans(self, category: Category) -> list[Plan]:
        """Return the plans of a category in display order. Raises ExternalUnavailable without a cached copy."""
        plans = plans_of(await self._items(), category)
        unequal = frozenset(sku for plan in plans for sku in unequal_instalments(plan))
        if category == "internet" and unequal != self._reported_unequal:
            self._reported_unequal = unequal
            _log.error("catalog.instalments_unequal", skus=sorted(unequal))
        return plans

    async def plans_bytes(self, category: Category, write: Callable[[list[Plan]], bytes]) -> bytes:
        """Return the plans of a category as bytes made by `write`; cached unless the prices in WHMCS are unknown."""

        async def compute() -> CachedBytes:
            plans = await self.plans(category)
            are_prices_known = any(item.is_billed_alike for plan in plans for item in plan.items)
            return CachedBytes(write(plans), _BODY_SECONDS if are_prices_known else 0)

        return await self._cache.get_or_set_bytes(self.cache_entry(category), compute)

    @staticmethod
    def cache_entry(category: Category) -> Entry:
        """Return the cache entry of `plans_bytes`."""
        return Entry(f"catalog:written:{category}", (CATALOG,))

    async def plan(self, sku: str) -> Plan:
        """Return a plan by its SKU. Raises NotFound if it is not sold."""
        items = await self._items()
        for item in items:
            if item.sku == sku:
                for plan in plans_of(items, item.category):
                    if plan.service.sku == sku:
                        return plan
        raise NotFound("no such plan", user_message="We do not offer this plan any more.")

    async def product_classes(self) -> dict[int, ProductClass]:
        """Return what WHMCS's products are, also those no longer sold. Raises ExternalUnavailable without a copy."""
        written = await self._reads.get_bytes(self._products)
        if written != self._classes[0]:
            self._classes = written, product_classes(_ITEMS.validate_json(written))
        return self._classes[1]

    async def sim_plans(self) -> dict[int, SimPlan]:
        """Return the SIM plans by their WHMCS products, also those no longer sold. Raises ExternalUnavailable."""
        written = await self._reads.get_bytes(self._products)
        if written != self._sim_plans[0]:
            self._sim_plans = written, sim_plans(_ITEMS.validate_json(written))
        return self._sim_plans[1]

    async def sold(self, category: Category) -> list[CatalogItem]:
        """Return what is sold in a category, hidden items too. Raises ExternalUnavailable without a cached copy."""
        return [item for item in await self._items() if item.category == category]

    async def invalidate(self) -> None:
        """Invalidate the cached catalogue for all processes."""
        await self._cache.invalidate(CATALOG)
        _log.info("catalog.invalidated")

    async def _items(self) -> list[CatalogItem]:
        # The deadline limits the wait; a read that takes longer continues and fills the cache.
        items, prices = await asyncio.gather(self._reads.get_bytes(self._products), self._cached_prices())
        if (items, prices) != self._parsed[0]:
            self._parsed = (items, prices), self._compared(items, prices)
        return self._parsed[1]

    async def _cached_prices(self) -> bytes | None:
        """Return the prices in WHMCS, read once per refresh; None if unknown, and then nothing can be ordered."""
        try:
            return await self._reads.get_bytes(self._prices)
        except ExternalError:
            return None

    def _compared(self, written: bytes, billed: bytes | None) -> list[CatalogItem]:
        items = [item for item in _ITEMS.validate_json(written) if item.is_sold]
        if billed is None:
            return [replace(item, is_billed_alike=False) for item in items]
        prices = _PRICES.validate_json(billed)
        compared = [replace(item, is_billed_alike=_is_billed_alike(item, prices)) for item in items]
        different = frozenset(item.sku for item in compared if not item.is_billed_alike)
        _DIFFERENT.set(len(different))
        if different != self._reported:
            self._reported = different
            if different:
                _log.error("catalog.price_differs", skus=sorted(different))
        return compared


def _for_all(read: Callable[[], Awaitable[Value]]) -> Callable[[], Awaitable[Value]]:
    """Return a read for all customers: it counts against no customer's share of the vendor's limits."""

    async def read_for_all() -> Value:
        with working_for(""):
            return await read()

    return read_for_all


def _is_billed_alike(item: CatalogItem, prices: Prices) -> bool:
    """Return whether WHMCS has the product with the same cycle and exactly the same price."""
    return prices.get(item.whmcs_product_id or 0, {}).get(item.cycle) == item.price
