"""The catalogue: Salesforce's products, cached until an event says they changed."""

import structlog
from pydantic import TypeAdapter

from portal_app.domain.errors import NotFound
from portal_app.domain.plan import CatalogItem, Category, Plan, plans_of
from portal_app.domain.ports import CatalogGateway
from portal_app.infra.cache import Cache
from portal_app.infra.settings import Settings

TAG = "catalog"
_ITEMS = TypeAdapter(list[CatalogItem])
_log = structlog.get_logger(__name__)


class Catalog:
    """What can be bought, at what price."""

    def __init__(self, settings: Settings, cache: Cache, gateway: CatalogGateway) -> None:
        self._seconds = settings.cache_catalog_seconds
        self._cache = cache
        self._gateway = gateway

    async def plans(self, category: Category) -> list[Plan]:
        """Return the plans of a category in display order. Raises ExternalUnavailable without a cached copy."""
        return plans_of(await self._items(), category)

    async def plan(self, sku: str) -> Plan:
        """Return one plan by its SKU. Raises NotFound for what is not sold."""
        items = await self._items()
        for item in items:
            if item.sku == sku:
                for plan in plans_of(items, item.category):
                    if plan.service.sku == sku:
                        return plan
        raise NotFound("no such plan", user_message="We do not offer this plan any more.")

    async def bust(self) -> None:
        """Forget the cached catalogue everywhere."""
        await self._cache.invalidate(TAG)
        _log.info("catalog.busted")

    async def _items(self) -> list[CatalogItem]:
        kept = await self._cache.get_or_set("catalog:items", self._read, seconds=self._seconds, tags=(TAG,))
        return _ITEMS.validate_python(kept)

    async def _read(self) -> object:
        return _ITEMS.dump_python(await self._gateway.items(), mode="json")
