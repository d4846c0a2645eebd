"""One service: its price, line, invoices and cancellation."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid4

import reflex as rx

from portal_app.domain.idempotency import WITHDRAW_CANCELLATION, Call, Claim
from portal_app.domain.identifiers import vendor_number
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationRequest, CancellationRequester
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.language import _, path_for
from portal_app.language.format import day
from portal_app.state.billing.invoices import InvoiceRow, invoice_row
from portal_app.state.catalog.prices import taxed
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.session import PageSession
from portal_app.state.sim.alerts_part import AlertsPart
from portal_app.state.sim.line_order_part import LineOrderPart
from portal_app.state.sim.line_rows import LineRows, line_rows
from portal_app.state.subscriptions.cancellation_words import standing_of, story_of
from portal_app.state.subscriptions.standing import cycle_words, kind_words
from portal_app.state.support.about import AboutCaseRow, ask_path, cases_about
from portal_app.wiring.portal import portal

# All others are in the list of invoices.
_MOST_INVOICES = 6


@dataclass(frozen=True)
class ServiceField:
    """A custom field of the service that customers may read."""

    name: str
    value: str


class SubscriptionPage(AlertsPart, LineOrderPart, rx.State):
    """A service as WHMCS bills it."""

    topics: ClassVar[frozenset[str]] = frozenset({"orders", "billing", "account", "support"})

    name: str = ""
    kind: str = ""
    word: str = ""
    tone: str = "neutral"
    price: str = ""
    price_note: str = ""
    period: str = ""
    since: str = ""
    next_due: str = ""
    fields: list[ServiceField] = []
    invoices: list[InvoiceRow] = []
    cases: list[AboutCaseRow] = []
    ask_href: str = ""
    line: LineRows = LineRows()
    cancel_href: str = ""
    story_tone: str = "info"
    story_title: str = ""
    story: str = ""
    withdraw_by: str = ""
    _key: str = ""

    async def _open_page(self) -> None:
        self._key = uuid4().hex
        await self._read_page()

    @handler
    async def withdraw(self):
        """Take the cancellation back: the service stays."""
        identity = await self.get_state(PageSession)
        asked = CancellationRequester(UUID(identity._session_id), identity._email)
        customer, number = await self._customer(), self._number
        call = Call(customer.user_id, WITHDRAW_CANCELLATION, self._key, str(number))

        async def withdraw(claim: Claim) -> str:
            return await portal().subscriptions.cancellations.withdraw(customer, number, asked=asked, claim=claim)

        self._key = uuid4().hex
        try:
            await portal().idempotency.once_shared(call, withdraw)
        finally:
            # Withdrawn or too late: the page shows which.
            await self._read_page()

    async def _read_page(self) -> None:
        self._number = number = vendor_number(self._last_part())
        customer = await self._customer()
        service, as_of = await portal().subscriptions.services.subscription_for(customer, number)
        self._note_saved(as_of)
        self.name, self.kind = service.name, kind_words(service)
        self.price, self.period = str(taxed(service.recurring)), cycle_words(service.cycle)
        self.price_note = _("{amount} without tax").format(amount=service.recurring)
        self.since = day(service.registered_on)
        self.fields = [ServiceField(name, value) for name, value in service.fields if value]
        self.cases, self.ask_href = await cases_about(customer, "service", number), ask_path("service", number)
        await self._show_end(customer, service)
        overview = await portal().sim.overviews.of_service(customer, service)
        self.line = line_rows(overview, plan=service.name, service_id=number)
        await self._show_top_ups(customer, overview, is_ending=not self.cancel_href)
        await self._show_alerts(customer, overview)
        await self._show_auto_top_up(customer, overview)
        await self._show_line_orders(customer, service, overview, is_ending=not self.cancel_href)
        # A request that waited for WHMCS once already does not wait again.
        invoices = await portal().billing.invoices.invoices_of_service(customer, number, with_reads=as_of is None)
        self.invoices = [invoice_row(each) for each in invoices[:_MOST_INVOICES]]

    async def _show_end(self, customer: Customer, service: Subscription) -> None:
        cancelling = portal().subscriptions.cancellations
        requests = await cancelling.requests_for(customer)
        request: CancellationRequest | None = requests.get(service.id)
        standing = standing_of(service, requests)
        self.word, self.tone = standing.word, standing.tone
        self.story_tone, self.story_title, self.story = story_of(service, request)
        is_ending = request is not None and request.is_open
        can_cancel = cancelling.schedule_for(service) is not None and not is_ending
        self.cancel_href = path_for(f"/subscriptions/{service.id}/cancel") if can_cancel else ""
        self.withdraw_by = request.sends_at.isoformat() if request and request.state == "scheduled" else ""
        is_billed = service.is_live and service.cycle.is_recurring
        self.next_due = day(service.next_due_on) if is_billed else "–"
