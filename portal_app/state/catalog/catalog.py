"""What can be bought: plans with their prices, and whether they can be ordered here already."""

from dataclasses import dataclass

import reflex as rx

from portal_app.domain.catalog.plan import CATEGORIES, Category, Plan
from portal_app.domain.checkout.plan_words import included_lines
from portal_app.domain.errors import NotFound
from portal_app.language import _, path_for
from portal_app.state.catalog.prices import taxed, with_tax
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class PlanRow:
    """One plan as a card shows it; `hint` says why this customer cannot choose it."""

    name: str
    monthly: str
    monthly_with_tax: str
    once: str
    once_with_tax: str
    lines: list[str]
    href: str
    is_orderable: bool
    hint: str = ""


@dataclass(frozen=True)
class CategoryRow:
    """One kind of service with its lowest monthly price."""

    name: str
    text: str
    price: str
    href: str


_TEXTS: dict[Category, tuple[str, str]] = {
    "internet": ("Internet", "A fibre line at home."),
    "sim": ("SIM", "Data, or data and voice, for a phone or router."),
    "vpn": ("VPN", "A router that puts your home abroad."),
}


class PlansPage(PageState, rx.State):
    """The plans of one category; the page's address says which."""

    rows: list[PlanRow] = []

    async def _read_page(self) -> None:
        category = next((known for known in CATEGORIES if known == self._last_part()), None)
        if category is None:
            raise NotFound("no such category")
        plans = await portal().catalog.plans(category)
        if any(plan.service.is_family for plan in plans) and not await portal().checkout.has_sim(
            await self._customer()
        ):
            plans = [plan for plan in plans if not plan.service.is_family]
        self.rows = [plan_row(plan) for plan in plans]


class CatalogPage(PageState, rx.State):
    """All kinds of service."""

    rows: list[CategoryRow] = []

    async def _read_page(self) -> None:
        self.rows = [_category(category, await portal().catalog.plans(category)) for category in CATEGORIES]


def plan_row(plan: Plan) -> PlanRow:
    """Return a plan as a card shows it."""
    has_once = plan.one_time.minor > 0
    return PlanRow(
        name=plan.service.name,
        monthly=str(plan.monthly),
        monthly_with_tax=with_tax(plan.monthly),
        once=str(plan.one_time) if has_once else "",
        once_with_tax=f"({with_tax(plan.one_time)})" if has_once else "",
        lines=included_lines(plan, taxed=taxed),
        href=path_for(f"/checkout?plan={plan.service.sku}"),
        is_orderable=plan.is_orderable,
    )


def _category(category: Category, plans: list[Plan]) -> CategoryRow:
    name, text = _TEXTS[category]
    lowest = min((plan.monthly for plan in plans), default=None)
    price = _("from {amount} a month with tax").format(amount=taxed(lowest)) if lowest else _("No plans right now")
    return CategoryRow(_(name), _(text), price, path_for(f"/catalog/{category}"))
