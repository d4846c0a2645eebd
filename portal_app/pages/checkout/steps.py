"""The steps of a checkout: one question after the other, each with its own page."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.condition import Text
from portal_app.components.field import (
    checkbox_field,
    choice_detail,
    choice_field,
    choice_group,
    select_field,
    text_field,
)
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import page_title
from portal_app.components.states import skeleton
from portal_app.language import _, path_for
from portal_app.pages.shell.address_form import error_of, group, pair
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.checkout.steps import FURTHEST_DAYS, NumberStepPage, SimStepPage


@page("/checkout/sim", title="Your SIM", load=SimStepPage.load)
def sim() -> rx.Component:
    state = SimStepPage
    eid = entry(
        state,
        _("EID of your phone"),
        "eid",
        hint=_("32 digits. Dial *#06# or look under the phone's general information."),
        input_mode="numeric",
        auto_complete="off",
    )
    kinds = choice_group(
        _("Which kind of SIM?"),
        choice(state, "sim_type", "physical", _("SIM card"), _("Sent to your address; fits every phone.")),
        choice(state, "sim_type", "esim", _("eSIM"), _("Nothing to send: installed on a phone that supports it.")),
        choice_detail(eid),
        error=error_of(state, "sim_type"),
        name="sim_type",
    )
    first_day = entry(state, _("First day"), "activate_on", type="date", min=state.first_day, max=state.last_day)
    start = choice_group(
        _("When does it start?"),
        choice(state, "start", "now", _("As soon as possible"), _("When our team has approved your order.")),
        choice(
            state,
            "start",
            "date",
            _("On a day I choose"),
            _("At most {days} days ahead, in Japan's time.").format(days=FURTHEST_DAYS),
        ),
        choice_detail(first_day),
        error=error_of(state, "start"),
        name="start",
    )
    return step_page(state, _("Your SIM"), kinds, start)


@page("/checkout/number", title="Your number", load=NumberStepPage.load)
def number() -> rx.Component:
    state = NumberStepPage
    origin = choice_group(
        _("Which number?"),
        choice(state, "origin", "new", _("A new number"), _("We give you one.")),
        choice(state, "origin", "port", _("Keep my number"), _("Brought along from another carrier (MNP).")),
        choice_detail(*_ported(state)),
        error=error_of(state, "origin"),
        name="origin",
    )
    return step_page(state, _("Your number"), origin, _holder(state), _options(state))


def _ported(state: Any) -> list[rx.Component]:
    exactly = message(
        _("Your carrier refuses the move when name, reading or date of birth differ from what it has on file."),
        title=_("Write everything exactly as at your present carrier"),
        tone="attention",
    )
    reservation = entry(
        state,
        _("MNP reservation number"),
        "reservation_number",
        hint=_("Ten digits, from your present carrier."),
        input_mode="numeric",
    )
    until = entry(state, _("Reservation valid until"), "expires_on", type="date", hint=state.reservation_hint)
    kept = entry(state, _("Number you keep"), "number", type="tel", hint=_("Such as 090-1234-5678"))
    return [exactly, kept, pair(reservation, until)]


def _holder(state: Any) -> rx.Component:
    genders = [("", _("Choose")), ("F", _("Female")), ("M", _("Male"))]
    return group(
        _("Who is the line registered to?"),
        rx.el.p(_("The law asks for this with every voice line."), class_name="text-small text-quiet"),
        pair(
            entry(state, _("Last name"), "last_name", hint=_("As on your identity document."), max_length=40),
            entry(state, _("First name"), "first_name", max_length=40),
        ),
        pair(
            entry(state, _("Last name in katakana"), "last_name_kana", lang="ja", max_length=40),
            entry(state, _("First name in katakana"), "first_name_kana", lang="ja", max_length=40),
        ),
        pair(
            select_field(
                _("Gender"),
                genders,
                name="gender",
                error=error_of(state, "gender"),
                default_value=state.entries["gender"],
            ),
            entry(state, _("Date of birth"), "birth_date", type="date", auto_complete="bday"),
        ),
    )


def _options(state: Any) -> rx.Component:
    def option(name: str, words: str) -> rx.Component:
        return rx.cond(state.prices.contains(name), tick(state, words, name, hint=state.prices[name]))

    return group(_("Options"), option("voice_mail", _("Voice mail")), option("call_waiting", _("Call waiting")))


def step_page(state: Any, title: str, *fields: rx.Component) -> rx.Component:
    """Lay a step out: its fields, the button to go on and the link back."""
    form = live_form(
        *fields,
        form_actions(button(_("Continue"), type="submit"), link(_("Back"), href=state.earlier)),
        on_submit=state.save,
        class_name="grid max-w-2xl gap-10",
        no_validate=True,
        # The key rebuilds the form for other answers: those given on another device would not show in an open tab.
        key=state.entries.to_string(),
    )
    return framed_step(state, title, form)


def framed_step(state: Any, title: str, body: rx.Component) -> rx.Component:
    """Put a step's body under its title and progress."""
    lead = rx.fragment(state.progress, rx.el.span(" · "), state.plan_name)
    heading = page_title(
        title, lead=rx.cond(state.shown, lead, ""), back=link(_("All plans"), href=path_for("/catalog"))
    )
    return portal_page(heading, page_body(state, body, loading=skeleton(8)), active="services")


def choice(state: Any, name: str, value: Text, title: Text, detail: Text) -> rx.Component:
    """Offer one answer of a step."""
    return choice_field(
        title,
        name=name,
        value=value,
        detail=detail,
        id=rx.Var.create(f"{name}-") + value,
        default_checked=state.entries[name] == value,
    )


def tick(state: Any, label: Text, name: str, *, hint: Text = "") -> rx.Component:
    """Ask for a yes in a step."""
    is_on = state.entries[name] == "on"
    return checkbox_field(label, name=name, hint=hint, error=error_of(state, name), default_checked=is_on)


def entry(state: Any, label: str, name: str, *, hint: Text = "", **attributes: Any) -> rx.Component:
    """Ask for one field of a step."""
    value = state.entries[name]
    return text_field(label, name=name, hint=hint, error=error_of(state, name), default_value=value, **attributes)
