"""The last step of a checkout: items, prices, payment methods, and the order itself."""

from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote
from uuid import UUID

import reflex as rx

from portal_app.domain.checkout.draft import Draft
from portal_app.domain.checkout.request import Agreement, Basket, Totals
from portal_app.domain.errors import InvalidInput, OfferChanged
from portal_app.domain.idempotency import PLACE_ORDER, Call, Claim
from portal_app.domain.orders.order import FINAL_STAGES
from portal_app.domain.profile.customer import Customer
from portal_app.infra.tasks.current_order import set_current_order
from portal_app.language import _, path_for
from portal_app.state.billing.payment_methods import MethodRow, add_card_link, method_row, methods_of
from portal_app.state.catalog.prices import LineRow, line_row, taxed, with_tax
from portal_app.state.checkout.option_words import option_words
from portal_app.state.checkout.steps import path_of_draft
from portal_app.state.shell.error_reporting import handler, report_errors
from portal_app.state.shell.form_entries import typed
from portal_app.state.shell.page_state import PageState
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class ChoiceRow:
    """One answer that was given."""

    label: str
    text: str


class CheckoutPage(PageState, rx.State):
    """The draft of the plan in the address. It is ordered once: a double click or a reload leads to the same order."""

    topics: ClassVar[frozenset[str]] = frozenset({"billing", "account"})

    lines: list[LineRow] = []
    choices: list[ChoiceRow] = []
    change: str = ""
    monthly: str = ""
    monthly_note: str = ""
    once: str = ""
    once_note: str = ""
    first_bill: str = ""
    methods: list[MethodRow] = []
    back: str = ""
    earlier: str = ""
    terms_error: str = ""
    ordering: bool = False
    needs_identity: bool = False
    verification: str = ""
    _draft_id: str = ""
    _totals: Totals | None = None

    async def _open_page(self) -> str | None:
        """Begin or continue the draft of the plan in the address; lead to the first step that is still open."""
        self.ordering, self.terms_error = False, ""
        customer = await self._customer()
        draft = await self._current_draft(customer)
        if draft.open_step:
            return path_of_draft(draft)
        await self._show(customer, draft)
        return None

    @report_errors
    async def refresh(self):
        """Read the draft again after a live change; one that was changed in another tab is left alone."""
        customer = await self._customer()
        draft = await (portal().drafts.current(customer) if self.shown else self._current_draft(customer))
        if not draft.open_step and (str(draft.id) == self._draft_id or not self.shown):
            await self._show(customer, draft)
            self.shown = True

    @handler
    async def place_order(self, form: dict[str, Any]):
        """Order the draft once and go on to the order; the proof of identity may be some hours old."""
        if not self._draft_id or self.ordering:
            return
        await self._require_recent_proof(seconds=portal().settings.portal_order_proof_seconds)
        accepted = bool(typed(form, "terms_accepted")["terms_accepted"])
        self.ordering, self.terms_error = True, ""
        yield
        try:
            order_id = await self._place(Agreement(accepted, self._totals))
        except InvalidInput as error:
            if "terms_accepted" not in error.fields:
                raise
            self.terms_error = _(error.fields["terms_accepted"])
            return
        except OfferChanged:
            await self.refresh()
            raise
        finally:
            self.ordering = False
        # The way back from the order leads past its checkout, which would begin another one.
        yield rx.redirect(path_for(f"/orders/{order_id}"), replace=True)

    @handler
    async def add_card(self):
        """Open the payment methods at WHMCS after a recent proof of identity; the way back leads to this checkout."""
        await self._require_recent_proof()
        return rx.redirect(await add_card_link(await self._customer(), self.back))

    async def _current_draft(self, customer: Customer) -> Draft:
        """Begin or continue the draft of the plan in the address."""
        sku = self._query("plan")
        return await (portal().drafts.begin(customer, sku) if sku else portal().drafts.current(customer))

    async def _place(self, agreed: Agreement) -> str:
        """Place the order of the draft once, however often the button is pressed, and return its id."""
        customer, draft_id = await self._customer(), UUID(self._draft_id)
        recipient = (await self.get_state(PageSession))._email
        call = Call(customer.user_id, PLACE_ORDER, f"draft-{draft_id}", str(draft_id))

        async def place(claim: Claim) -> str:
            orders = portal().orders
            return await orders.place_draft(customer, draft_id, agreed=agreed, claim=claim, recipient=recipient)

        order_id = await portal().idempotency.once_shared(call, place, status=201)
        set_current_order(order_id)
        return order_id

    async def _show(self, customer: Customer, draft: Draft) -> None:
        basket = await portal().checkout.basket(customer, draft.plan, draft.answers)
        self._draft_id = str(draft.id)
        self._price(basket)
        self.choices = [ChoiceRow(label, text) for label, text in option_words(basket.options)]
        self.change = path_for(f"/checkout/{draft.steps[0]}") if draft.steps else ""
        await self._find_open_order(customer, draft.plan.service.sku)
        self.methods = [method_row(method) for method in await methods_of(customer, is_fresh=False)]
        self.needs_identity = await portal().checkout.needs_identity(customer, draft.plan)
        self.back = f"{path_for('/checkout')}?plan={quote(draft.plan.service.sku, safe='')}"
        self.verification = f"{path_for('/account/verification')}?next={quote(self.back, safe='')}"

    def _price(self, basket: Basket) -> None:
        self.lines, self._totals = [line_row(item) for item in basket.items], basket.totals
        self.monthly, self.monthly_note = str(basket.monthly), with_tax(basket.monthly)
        has_once = basket.one_time.minor > 0
        self.once, self.once_note = (str(basket.one_time), with_tax(basket.one_time)) if has_once else ("", "")
        self.first_bill = str(taxed(basket.monthly + basket.one_time))

    async def _find_open_order(self, customer: Customer, sku: str) -> None:
        orders = await portal().orders.orders_for(customer)
        known = [order for order in orders if order.lines[0].sku == sku and order.stage not in FINAL_STAGES]
        self.earlier = path_for(f"/orders/{known[0].id}") if known else ""
