"""The dashboard: what is due, what needs the customer, how the services and orders stand."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

import reflex as rx

from portal_app.domain.customer import Customer
from portal_app.domain.errors import AccountNotReady, AccountWaits, ExternalUnavailable
from portal_app.domain.invoice import Invoice
from portal_app.domain.money import Money
from portal_app.domain.order import FINAL_STAGES, Order
from portal_app.language import _, path_for
from portal_app.language.format import day, today
from portal_app.state.identity import Identity
from portal_app.state.orders import OrderListRow, order_row
from portal_app.state.page_state import PageState, opened, told
from portal_app.state.subscriptions import ServiceRow, service_row
from portal_app.wiring import portal


@dataclass(frozen=True)
class Need:
    """Something that waits for the customer."""

    title: str
    text: str
    tone: str
    href: str
    action: str


class DashboardPage(PageState, rx.State):
    """What a customer wants to know in ten seconds."""

    topics: ClassVar[frozenset[str]] = frozenset({"orders", "billing", "account"})

    greeting: str = ""
    set_up_failed: bool = False
    support: str = ""
    due: str = ""
    due_note: str = ""
    due_href: str = ""
    needs: list[Need] = []
    services: list[ServiceRow] = []
    services_problem: str = ""
    orders: list[OrderListRow] = []

    @rx.event
    @opened
    async def load(self):
        """Read everything the dashboard shows."""
        await self._read()

    @told
    async def refresh(self):
        """Read it anew after a live change."""
        await self._read()
        self.shown = True

    async def _read(self) -> None:
        identity = await self.get_state(Identity)
        view = await portal().accounts.view(UUID(identity._user_id))
        self.greeting = _("Hello, {name}").format(name=view.name)
        self.support, self.set_up_failed = portal().settings.portal_support_email, view.status == "failed"
        if view.customer is None:
            raise AccountWaits() if view.status == "waiting" else AccountNotReady()
        orders = [order for order in await portal().orders.orders_for(view.customer) if order.stage not in FINAL_STAGES]
        self.orders = [order_row(order) for order in orders]
        self.needs = []
        await self._read_due(view.customer)
        self.needs += [_need_of(order) for order in orders if order.stage == "needs_attention"]
        await self._read_services(view.customer)

    async def _read_due(self, customer: Customer) -> None:
        try:
            invoices = await portal().billing.invoices_for(customer)
        except ExternalUnavailable as error:
            self.due, self.due_note, self.due_href = "", _(error.user_message), ""
            return
        self._note_saved(invoices.as_of)
        unpaid = sorted(
            (invoice for invoice in invoices.rows if invoice.status == "unpaid"), key=lambda row: row.due_on or today()
        )
        self.due = str(Money.total(invoice.total for invoice in unpaid))
        self.due_note, self.due_href = _due_words(unpaid), _pay_path(unpaid)
        self.needs = [_need_to_pay(invoice) for invoice in unpaid if invoice.is_overdue(today())]

    async def _read_services(self, customer: Customer) -> None:
        try:
            services = await portal().subscriptions.subscriptions_for(customer)
        except ExternalUnavailable as error:
            self.services, self.services_problem = [], _(error.user_message)
            return
        self.services_problem = ""
        self.services = [
            service_row(row) for row in services.rows if row.status not in ("terminated", "cancelled", "completed")
        ]


def _due_words(unpaid: list[Invoice]) -> str:
    if not unpaid:
        return _("Nothing is due.")
    is_late = unpaid[0].is_overdue(today())
    one = _("Overdue since {day}") if is_late else _("Due by {day}")
    words = _("{count} invoices, the first by {day}") if len(unpaid) > 1 else one
    return words.format(count=len(unpaid), day=day(unpaid[0].due_on))


def _pay_path(unpaid: list[Invoice]) -> str:
    if not unpaid:
        return ""
    return path_for(f"/billing/invoices/{unpaid[0].id}" if len(unpaid) == 1 else "/billing/invoices?status=due")


def _need_to_pay(invoice: Invoice) -> Need:
    return Need(
        title=_("Invoice {number} is overdue").format(number=invoice.label),
        text=_("{amount} was due by {day}. Pay it to keep your service running.").format(
            amount=invoice.total, day=day(invoice.due_on)
        ),
        tone="problem",
        href=path_for(f"/billing/invoices/{invoice.id}"),
        action=_("See and pay"),
    )


def _need_of(order: Order) -> Need:
    return Need(
        title=_("Your order needs attention"),
        text=order.title,
        tone="attention",
        href=path_for(f"/orders/{order.id}"),
        action=_("See what is needed"),
    )
