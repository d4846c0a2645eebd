"""What public pages show of current plans and prices; where the catalogue is away, the last known."""

from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import quote

import structlog

from portal_app.api.public.page_template import Filled, Row
from portal_app.api.public.visit import Visit
from portal_app.domain.catalog.plan import CATEGORIES, Category, Plan
from portal_app.domain.checkout.plan_words import included_lines
from portal_app.domain.errors import PortalError
from portal_app.domain.money import Money
from portal_app.language import _
from portal_app.wiring.portal import portal

_log = structlog.get_logger(__name__)
_AWAY: dict[str, Sequence[Row]] = {"away": [{}]} | {
    f"{slot} {category}": [] for slot in ("plans", "from") for category in CATEGORIES
}


class PlanRows:
    """Fill pages with plans, and remember what each page showed last."""

    def __init__(self) -> None:
        self._last: dict[str, Row] = {}

    async def __call__(self, visit: Visit) -> Filled:
        """Return what a page shows."""
        try:
            plans = {category: await _offered(category) for category in CATEGORIES}
        except PortalError as error:
            _log.warning("public_pages.no_catalog", error=type(error).__name__)
            return Filled(self._last.get(visit.path, _AWAY))
        row: dict[str, str | Sequence[Row]] = {"away": [], **_from_prices(plans)}
        for category in CATEGORIES:
            row[f"plans {category}"] = [{f"plan {category}": [_plan(plan) for plan in plans[category]]}]
        self._last[visit.path] = row
        return Filled(row)


async def _offered(category: Category) -> list[Plan]:
    """Return what anybody may choose: family plans are for those who have a line."""
    return [plan for plan in await portal().catalog.plans(category) if not plan.service.is_family]


def _from_prices(plans: dict[str, list[Plan]]) -> dict[str, Sequence[Row]]:
    rows: dict[str, Sequence[Row]] = {}
    for category, offered in plans.items():
        lowest = min((plan.monthly for plan in offered), default=None)
        rows[f"from {category}"] = [{"amount": str(_taxed(lowest))}] if lowest else []
    return rows


def _plan(plan: Plan) -> Row:
    once = [{"once": str(plan.one_time), "once_tax": _with_tax(plan.one_time)}] if plan.one_time.minor else []
    return {
        "name": plan.service.name,
        "order": [{"sku": quote(plan.service.sku, safe="")}] if plan.is_orderable else [],
        "no-order": [] if plan.is_orderable else [{}],
        "monthly": str(plan.monthly),
        "monthly_tax": _with_tax(plan.monthly),
        "one-time": once,
        "line": [{"text": text} for text in included_lines(plan, taxed=_taxed)],
    }


def _taxed(amount: Money) -> Money:
    return amount.with_tax(Decimal(portal().settings.tax_percent))


def _with_tax(amount: Money) -> str:
    return _("{amount} with tax").format(amount=_taxed(amount))
