"""The checkout: one plan, what it costs, how it is paid, ordered once."""

import uuid
from typing import ClassVar
from urllib.parse import quote

import reflex as rx

from portal_app.domain.customer import Customer
from portal_app.domain.errors import NotAllowed
from portal_app.domain.order import FINAL_STAGES
from portal_app.domain.plan import ORDERED_ONLINE, Plan
from portal_app.language import _, path_for
from portal_app.state.identity import Identity
from portal_app.state.page_state import PageState, opened, told
from portal_app.state.payment_methods import MethodRow, method_row, methods_of
from portal_app.state.wording import LineRow, line_row, taxed, with_tax
from portal_app.wiring import portal


class CheckoutPage(PageState, rx.State):
    """The plan in the address. Its key makes a double click or a reload order once."""

    topics: ClassVar[frozenset[str]] = frozenset({"billing", "account"})

    lines: list[LineRow] = []
    monthly: str = ""
    monthly_note: str = ""
    once: str = ""
    once_note: str = ""
    first_bill: str = ""
    methods: list[MethodRow] = []
    back: str = ""
    earlier: str = ""
    ordering: bool = False
    _sku: str = ""
    _key: str = ""

    @rx.event
    @opened
    async def load(self):
        """Read the plan in the address, with a key that stays until it is ordered."""
        sku = self._query("plan")
        self.ordering = False
        await self._read(sku)
        if self._sku != sku or not self._key:
            self._sku, self._key = sku, str(uuid.uuid4())

    @told
    async def refresh(self):
        """Read it anew after a live change."""
        await self._read(self._query("plan"))
        self.shown = True

    @rx.event
    @told
    async def place_order(self):
        """Order the plan once and go on to the order."""
        if not self._key or self.ordering:
            return
        self.ordering = True
        yield
        try:
            order = await portal().orders.place(
                await self._customer(), sku=self._sku, key=self._key, recipient=await self._recipient()
            )
        finally:
            self.ordering = False
        self._key = ""
        yield rx.redirect(path_for(f"/orders/{order.id}"))

    async def _recipient(self) -> str:
        identity = await self.get_state(Identity)
        return identity._email

    async def _read(self, sku: str) -> None:
        plan = await portal().catalog.plan(sku)
        if plan.service.category not in ORDERED_ONLINE:
            support = portal().settings.portal_support_email
            words = _("This plan is ordered by writing to {support} for now.").format(support=support)
            raise NotAllowed("not ordered online", user_message=words)
        customer = await self._customer()
        self._price(plan)
        await self._find_earlier(customer, sku)
        self.methods = [method_row(method) for method in await methods_of(customer, anew=False)]
        self.back = f"{self.router.url.path}?plan={quote(sku, safe='')}"

    def _price(self, plan: Plan) -> None:
        self.lines = [line_row(item) for item in plan.items]
        self.monthly, self.monthly_note = str(plan.monthly), with_tax(plan.monthly)
        has_once = plan.one_time.minor > 0
        self.once, self.once_note = (str(plan.one_time), with_tax(plan.one_time)) if has_once else ("", "")
        self.first_bill = str(taxed(plan.monthly + plan.one_time))

    async def _find_earlier(self, customer: Customer, sku: str) -> None:
        orders = await portal().orders.orders_for(customer)
        known = [order for order in orders if order.lines[0].sku == sku and order.stage not in FINAL_STAGES]
        self.earlier = path_for(f"/orders/{known[0].id}") if known else ""
