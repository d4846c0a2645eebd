"""The internet plans with what is available at the customer's address."""

from dataclasses import replace
from typing import ClassVar

import reflex as rx

from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.internet.eligibility import ANSWERS
from portal_app.domain.orders.order import FINAL_STAGES
from portal_app.domain.profile.customer import Customer
from portal_app.language import _, path_for
from portal_app.state.catalog.catalog import PlanRow, plan_row
from portal_app.state.internet.eligibility import AddressCheckPage
from portal_app.state.shell.error_reporting import handler
from portal_app.wiring.portal import portal


class InternetPlansPage(AddressCheckPage, rx.State):
    """The plans and the check side by side; one line per customer."""

    topics: ClassVar[frozenset[str]] = frozenset({"eligibility", "account", "orders"})

    rows: list[PlanRow] = []
    held: str = ""
    held_href: str = ""

    @handler
    async def check_address(self):
        """Have the address checked."""
        await self._request_check(await self._customer())

    async def _read_page(self) -> None:
        customer = await self._customer()
        await self._find_held(customer)
        found = await self._show_check(customer)
        plans = await portal().catalog.plans("internet")
        is_answered = found.status in ANSWERS
        self.rows = [
            replace(plan_row(plan), hint=self._hint(is_out=is_answered and not found.is_available(plan)))
            for plan in plans
        ]

    def _hint(self, *, is_out: bool) -> str:
        if self.held:
            return _("You have internet already.")
        return _("Not available at your address.") if is_out else ""

    async def _find_held(self, customer: Customer) -> None:
        """Find the line or open order that excludes another one."""
        self.held = self.held_href = ""
        orders = await portal().orders.orders_for(customer)
        open_orders = [order for order in orders if order.category == "internet" and order.stage not in FINAL_STAGES]
        if open_orders:
            self.held = _("Your internet order is in progress")
            self.held_href = path_for(f"/orders/{open_orders[0].id}")
            return
        try:
            services = (await portal().subscriptions.services.subscriptions_for(customer)).rows
        except ExternalUnavailable:
            return  # the checkout checks again
        if lines := [service for service in services if service.is_live_line("internet")]:
            self.held, self.held_href = (
                _("You have {name}").format(name=lines[0].name),
                path_for(f"/subscriptions/{lines[0].id}"),
            )
