"""What a question is about: the facts of an invoice, order, service or line, for its owner alone."""

from datetime import date

from portal_app.domain.identifiers import our_id, vendor_number
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import About
from portal_app.domain.support.context import Fact, FactKind
from portal_app.language.format import JAPAN
from portal_app.services.billing.invoices import Billing
from portal_app.services.orders.orders import Orders
from portal_app.services.sim.line_status import LineStatus
from portal_app.services.subscriptions.subscriptions import Subscriptions


class AboutFacts:
    """Collect the facts. Each kind is read by the service whose pages show it, which knows whose it is."""

    def __init__(self, *, invoices: Billing, orders: Orders, services: Subscriptions, lines: LineStatus) -> None:
        self._invoices = invoices
        self._orders = orders
        self._services = services
        self._lines = lines

    async def facts_for(self, customer: Customer, about: About) -> list[Fact]:
        """Return the facts. Raises NotFound for another customer's as for what does not exist."""
        if about.kind == "invoice":
            return await self._of_invoice(customer, about)
        if about.kind == "order":
            return await self._of_order(customer, about)
        return await self._of_service(customer, about)

    async def _of_invoice(self, customer: Customer, about: About) -> list[Fact]:
        invoice = (await self._invoices.invoice_for(customer, vendor_number(about.id))).invoice
        balance = "" if invoice.balance is None else str(invoice.balance)
        return _known(
            ("invoice", invoice.number or str(invoice.id)),
            ("status", invoice.status),
            ("issued", _day(invoice.issued_on)),
            ("due", _day(invoice.due_on)),
            ("total", str(invoice.total)),
            ("balance", balance),
        )

    async def _of_order(self, customer: Customer, about: About) -> list[Fact]:
        order = (await self._orders.order_for(customer, our_id(about.id))).order
        return _known(
            ("order", f"{order.title} ({order.id})"),
            ("status", order.stage),
            ("placed", _day(order.placed_at.astimezone(JAPAN).date())),
        )

    async def _of_service(self, customer: Customer, about: About) -> list[Fact]:
        number = vendor_number(about.id)
        service, _ = await self._services.subscription_for(customer, number)
        line = await self._lines.line_of(customer, number)
        return _known(
            ("service", f"{service.name} ({service.id})"),
            ("status", service.status),
            ("since", _day(service.registered_on)),
            ("line", line.number if line else ""),
            ("line_state", line.state if line else ""),
        )


def _known(*facts: tuple[FactKind, str]) -> list[Fact]:
    return [Fact(kind, value) for kind, value in facts if value]


def _day(on: date | None) -> str:
    return on.isoformat() if on else ""
