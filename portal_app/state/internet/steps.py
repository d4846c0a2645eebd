"""The steps of a fibre order: the address, the connection with its installation, home phone and an earlier line."""

from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx

from portal_app.domain.catalog.plan import Plan
from portal_app.domain.checkout.installation import InstallationChoice, installation_choices
from portal_app.domain.checkout.internet_steps import PHONE_MODE
from portal_app.domain.checkout.options import INTERNET_OPTIONS
from portal_app.domain.checkout.steps import Step
from portal_app.domain.money import Money
from portal_app.language import _
from portal_app.language.format import listed
from portal_app.state.catalog.prices import taxed, with_tax
from portal_app.state.checkout.steps import StepPage
from portal_app.state.internet.eligibility import AddressCheckPage
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.form_entries import typed
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class PaymentRow:
    """One way to pay for the installation."""

    key: str
    title: str
    detail: str


class AddressStepPage(StepPage, AddressCheckPage, rx.State):
    """Whether the plan is available at the address, and the confirmation of the address."""

    topics: ClassVar[frozenset[str]] = frozenset({"eligibility", "account"})
    step: ClassVar[Step] = "address"

    is_offered: bool = False
    is_other: bool = False
    _address_id: str = ""

    @handler
    async def check_address(self):
        """Have the address checked."""
        await self._request_check(await self._customer())

    @handler
    async def save(self, form: dict[str, Any]):
        """Save the confirmation of the shown address and go on."""
        return await self._save_answer(typed(form, "confirmed") | {"address_id": self._address_id})

    async def _read_page(self) -> str | None:
        leave = await self._show_step()
        if leave is not None:
            return leave
        customer = await self._customer()
        found = await self._show_check(customer)
        plan = (await portal().drafts.current(customer)).plan
        self._address_id, self.is_offered = found.address_id, found.is_available(plan)
        self.is_other = found.status == "eligible" and not self.is_offered
        return None


class ConnectionStepPage(StepPage, rx.State):
    """How the line is used, and how its installation is paid."""

    step: ClassVar[Step] = "connection"

    payments: list[PaymentRow] = []
    weekend: str = ""
    included: str = ""

    async def _read_page(self) -> str | None:
        leave = await self._show_step()
        if leave is None:
            plan = (await portal().drafts.current(await self._customer())).plan
            self.payments = [_payment(choice) for choice in installation_choices(plan)]
            self.weekend = _price_words(plan, INTERNET_OPTIONS["weekend"])
            self.included = listed(item.name for item in plan.included if item.price.minor == 0)
        return leave


class PhoneStepPage(StepPage, rx.State):
    """Whether a home phone comes along, and which line is switched over."""

    step: ClassVar[Step] = "phone"

    home_phone: str = ""
    has_gateway: bool = False

    async def _read_page(self) -> str | None:
        leave = await self._show_step()
        if leave is None:
            draft = await portal().drafts.current(await self._customer())
            self.home_phone = _price_words(draft.plan, INTERNET_OPTIONS["home_phone"])
            self.has_gateway = draft.answers.get("connection", {}).get("access_mode") == PHONE_MODE
        return leave


def _payment(choice: InstallationChoice) -> PaymentRow:
    total = _("{amount} in all, {taxed}").format(amount=choice.total, taxed=with_tax(choice.total))
    if choice.count == 1:
        return PaymentRow(choice.key, _("At once: {amount}").format(amount=choice.total), with_tax(choice.total))
    each = _("{count} payments of {amount} a month").format(count=choice.count, amount=choice.each)
    if choice.first != choice.each:
        first = _("The first is {amount}.").format(amount=choice.first)
        return PaymentRow(choice.key, each, f"{with_tax(choice.each)}; {total}. {first}")
    return PaymentRow(choice.key, each, f"{with_tax(choice.each)}; {total}")


def _price_words(plan: Plan, sku: str) -> str:
    """Say what an option costs with everything that comes along; empty for one that is not sold at the moment."""
    known = {item.sku: item for item in (*plan.extras, *plan.hidden)}
    option = next((item for item in plan.extras if item.sku == sku and item.is_billed_alike), None)
    if option is None or any(each not in known for each in option.required):
        return ""
    items = [option, *(known[each] for each in option.required)]
    monthly, once = (Money.total(i.price for i in items if i.cycle == cycle) for cycle in ("monthly", "onetime"))
    words = [_("{amount} a month, {taxed}").format(amount=monthly, taxed=with_tax(monthly))] if monthly.minor else []
    words += [_("{amount} once, {taxed} with tax").format(amount=once, taxed=taxed(once))] if once.minor else []
    return "; ".join(words)
