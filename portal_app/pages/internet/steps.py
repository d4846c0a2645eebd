"""The steps of a fibre order before its review."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.field import choice_detail, choice_group
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.language import _, path_for
from portal_app.pages.checkout.steps import choice, entry, framed_step, step_page, tick
from portal_app.pages.internet.plans import address_panel
from portal_app.pages.shell.address_form import error_of, group
from portal_app.pages.shell.page import page
from portal_app.state.internet.steps import AddressStepPage, ConnectionStepPage, PhoneStepPage


@page("/checkout/address", title="Your address", load=AddressStepPage.load)
def address() -> rx.Component:
    state = AddressStepPage
    words = _("The line is to be installed at this address. A technician may have to come there.")
    form = live_form(
        tick(state, words, "confirmed"),
        form_actions(button(_("Continue"), type="submit"), link(_("Back"), href=state.earlier)),
        on_submit=state.save,
        no_validate=True,
    )
    other = message(
        _("Choose one of the plans that can be installed at your address."),
        title=_("This plan is not available at your address"),
        tone="attention",
        action=link(_("See the internet plans"), href=path_for("/catalog/internet")),
    )
    waits = rx.cond(
        state.check.is_waiting,
        rx.el.p(_("Your choice is kept. When our team has answered, you go on right here."), class_name="text-quiet"),
    )
    rest = rx.cond(state.is_offered, form, rx.cond(state.is_other, other, waits))
    body = rx.el.div(address_panel(state, came_for="order"), rest, class_name="grid max-w-2xl gap-10")
    return framed_step(state, _("Your address"), body)


@page("/checkout/connection", title="Your connection", load=ConnectionStepPage.load)
def connection() -> rx.Component:
    state = ConnectionStepPage
    gateway = _("Our device at home; needed for a home phone.")
    modes = choice_group(
        _("How do you connect?"),
        choice(state, "access_mode", "ipoe_home_gateway", _("IPoE with home gateway"), gateway),
        choice(state, "access_mode", "ipoe_own_router", _("IPoE with your own router"), _("It must support IPoE.")),
        choice(state, "access_mode", "pppoe", _("PPPoE"), _("For routers that sign in with a name and a password.")),
        error=error_of(state, "access_mode"),
        name="access_mode",
    )
    included = message(
        rx.fragment(state.included, " ", _("comes with your plan at no extra charge.")), title=_("Included")
    )
    payments = choice_group(
        _("How do you pay for the installation?"),
        rx.foreach(state.payments, lambda row: choice(state, "installation", row.key, row.title, row.detail)),
        error=error_of(state, "installation"),
        name="installation",
    )
    weekend = group(
        _("When may the technician come?"),
        tick(state, _("On a Saturday, Sunday or holiday"), "weekend", hint=state.weekend),
        rx.el.p(_("Our team agrees on the day with you."), class_name="text-small text-quiet"),
    )
    return step_page(
        state,
        _("Your connection"),
        rx.cond(state.included != "", included),
        modes,
        payments,
        rx.cond(state.weekend != "", weekend),
    )


@page("/checkout/phone", title="Home phone and switching", load=PhoneStepPage.load)
def phone() -> rx.Component:
    state = PhoneStepPage
    return step_page(state, _("Home phone and switching"), _home_phone(state), _earlier_line(state))


def _home_phone(state: Any) -> rx.Component:
    box = tick(state, _("Home phone (Hikari Denwa)"), "home_phone", hint=state.home_phone)
    no_gateway = message(
        _("It runs over the home gateway only. You chose another way to connect."),
        title=_("No home phone with this connection"),
        action=link(_("Change the connection"), href=path_for("/checkout/connection")),
    )
    return rx.cond(state.home_phone != "", group(_("Home phone"), rx.cond(state.has_gateway, box, no_gateway)))


def _earlier_line(state: Any) -> rx.Component:
    number = entry(
        state,
        _("Switch number"),
        "switch_number",
        hint=_("F or T and ten digits: the transfer or change approval number from your present provider."),
        auto_complete="off",
    )
    return choice_group(
        _("Is there a fibre line already?"),
        choice(state, "line", "new", _("No, or it may stay"), _("We have a new line installed.")),
        choice(state, "line", "switch", _("Yes, switch it over"), _("From Flet's or another provider's fibre.")),
        choice_detail(number),
        error=error_of(state, "line"),
        name="line",
    )
