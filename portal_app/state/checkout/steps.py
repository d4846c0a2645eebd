"""The steps of a checkout before its review: one page each, their answers kept on the server."""

from datetime import timedelta
from typing import Any, ClassVar

import reflex as rx

from portal_app.domain.checkout.draft import Draft
from portal_app.domain.checkout.options import VOICE_OPTIONS
from portal_app.domain.checkout.steps import FIELDS, FURTHEST_DAYS, Step
from portal_app.domain.errors import InvalidInput, NotFound
from portal_app.domain.identifiers import our_id
from portal_app.language import _, path_for
from portal_app.state.catalog.prices import with_tax
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.form_entries import typed
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal

_FIRST_ANSWERS: dict[Step, dict[str, str]] = {
    "sim": {"sim_type": "physical", "start": "now"},
    "number": {"origin": "new"},
    "address": {},
    "connection": {"access_mode": "ipoe_home_gateway", "installation": "single"},
    "phone": {"line": "new"},
}


def path_of_draft(draft: Draft) -> str:
    """Return the page at which a draft continues: its first open step, or the review."""
    return path_for(f"/checkout/{draft.open_step}" if draft.open_step else f"/checkout?plan={draft.plan.service.sku}")


class StepPage(PageState, mixin=True):
    """Mix into a step's page: `entries` are the answers so far, `errors` what is wrong with them."""

    step: ClassVar[Step]

    entries: dict[str, str] = {}
    errors: dict[str, str] = {}
    plan_name: str = ""
    progress: str = ""
    earlier: str = ""
    _draft_id: str = ""

    @handler
    async def save(self, form: dict[str, Any]):
        """Save the answer and go on."""
        return await self._save_answer(typed(form, *FIELDS[self.step]))

    async def _show_step(self) -> str | None:
        """Read the draft; return the path of the step it is at when it has not reached this one.

        A draft that was ordered or given up is gone: its steps lead to the plans.
        """
        step = self.step
        try:
            draft = await portal().drafts.current(await self._customer())
        except NotFound:
            return path_for("/catalog")
        steps = draft.steps
        if step not in steps or (draft.open_step and steps.index(draft.open_step) < steps.index(step)):
            return path_of_draft(draft)
        known = draft.answers.get(step) or _FIRST_ANSWERS[step] | await self._suggested_answers()
        self.entries = {name: known.get(name, "") for name in FIELDS[step]}
        self.errors, self._draft_id, self.plan_name = {}, str(draft.id), draft.plan.service.name
        place = steps.index(step)
        self.progress = _("Step {number} of {count}").format(number=place + 1, count=len(steps) + 1)
        self.earlier = path_for(f"/checkout/{steps[place - 1]}" if place else f"/catalog/{draft.plan.service.category}")
        return None

    async def _suggested_answers(self) -> dict[str, str]:
        return {}

    async def _save_answer(self, entries: dict[str, str]) -> Any:
        """Save an answer and go on, or show the errors beside the fields."""
        try:
            customer, draft_id = await self._customer(), our_id(self._draft_id)
            draft = await portal().drafts.save_answer(customer, draft_id, self.step, entries)
        except InvalidInput as error:
            self.errors = {name: _(text) for name, text in error.fields.items()}
            return None
        return rx.redirect(path_of_draft(draft))


class SimStepPage(StepPage, rx.State):
    """Which SIM, and from when."""

    step: ClassVar[Step] = "sim"

    first_day: str = ""
    last_day: str = ""

    async def _read_page(self) -> str | None:
        today = portal().checkout.rules().today
        self.first_day, self.last_day = str(today + timedelta(days=1)), str(today + timedelta(days=FURTHEST_DAYS))
        return await self._show_step()


class NumberStepPage(StepPage, rx.State):
    """The holder of the voice line and its number."""

    step: ClassVar[Step] = "number"

    reservation_hint: str = ""
    prices: dict[str, str] = {}

    async def _read_page(self) -> str | None:
        days = portal().checkout.rules().reservation_days_left
        self.reservation_hint = _("At least {days} days from today.").format(days=days)
        leave = await self._show_step()
        if leave is None:
            await self._show_prices()
        return leave

    async def _suggested_answers(self) -> dict[str, str]:
        person = (await portal().profile.profiles.profile_for(await self._customer())).person
        names = ("last_name", "first_name", "last_name_kana", "first_name_kana")
        return {name: getattr(person, name) for name in names}

    async def _show_prices(self) -> None:
        """Say what the options cost; one that is not sold at the moment has no price and is not offered."""
        draft = await portal().drafts.current(await self._customer())
        prices = {item.sku: item for item in draft.plan.extras}
        self.prices = {
            name: _("{amount} a month, {taxed}").format(amount=prices[sku].price, taxed=with_tax(prices[sku].price))
            for name, sku in VOICE_OPTIONS.items()
            if sku in prices
        }
