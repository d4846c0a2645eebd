"""Salesforce's products, as services see them."""

from typing import Protocol

from portal_app.domain.catalog.plan import CatalogItem


class CatalogGateway(Protocol):
    """Salesforce's products in the portal's price book."""

    async def items(self) -> list[CatalogItem]:
        """Return every active item with a price."""
