"""What a WHMCS product is as a SIM plan. The carrier's plan code is not unique: a product says which plan is billed."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal_app.domain.catalog.plan import CatalogItem


@dataclass(frozen=True, slots=True)
class SimPlan:
    """A SIM plan: the carrier's code, and the data per month, None where unknown."""

    code: str
    data_mb: int | None
    has_voice: bool


def sim_plans(items: Iterable[CatalogItem]) -> dict[int, SimPlan]:
    """Return the SIM plans by their WHMCS product; of several items of one product, one that is sold."""
    return {
        item.whmcs_product_id: SimPlan(item.sim_plan_code, item.sim_data_mb, item.has_voice)
        for item in sorted(items, key=lambda item: item.is_sold)
        if item.whmcs_product_id is not None and item.category == "sim" and item.item_class == "service"
    }
