"""The review of a checkout: items, prices, payment method, and the order button."""

from typing import Any

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.condition import Text
from portal_app.components.definition import definition_list, total_line
from portal_app.components.field import checkbox_field
from portal_app.components.form import live_form
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import columns, page_title, section
from portal_app.components.states import skeleton
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.checkout.review import CheckoutPage


@page("/checkout", title="Checkout", load=CheckoutPage.load)
def checkout() -> rx.Component:
    left = rx.fragment(_purchase(), _choices(), _identity(), _payment())
    body = rx.el.div(_earlier(), columns(left, _order()), class_name="grid gap-10")
    title = page_title(_("Checkout"), back=link(_("All plans"), href=path_for("/catalog")))
    return portal_page(title, page_body(CheckoutPage, body, loading=skeleton(8)), active="services")


def _earlier() -> rx.Component:
    note = message(
        _("Order again only if you want a second one."),
        title=_("You have an order for this plan in progress"),
        action=link(_("See that order"), href=CheckoutPage.earlier),
    )
    return rx.cond(CheckoutPage.earlier != "", note)


def _purchase() -> rx.Component:
    return section(
        _("You buy"),
        rx.el.div(bought_lines(CheckoutPage.lines), class_name="border-b border-line"),
        rx.el.p(_("Prices of the single lines are without tax."), class_name="mt-3 text-small text-quiet"),
    )


def _choices() -> rx.Component:
    def row(choice: Any) -> rx.Component:
        return rx.el.div(
            rx.el.dt(choice.label, class_name="text-quiet"),
            rx.el.dd(choice.text, class_name="min-w-0 text-right [overflow-wrap:anywhere]"),
            class_name="flex items-baseline justify-between gap-6 py-2.5",
        )

    rows = rx.el.dl(rx.foreach(CheckoutPage.choices, row), class_name="divide-y divide-line border-y border-line")
    change = link(_("Change"), href=CheckoutPage.change)
    return rx.cond(CheckoutPage.choices.length() > 0, section(_("You chose"), rows, aside=change))


def _identity() -> rx.Component:
    ask = message(
        _("For a line with calls the law asks us to check who holds it. You come back here afterwards."),
        tone="attention",
        title=_("An identity document is needed"),
        action=link_button(_("Send a document"), href=CheckoutPage.verification, variant="secondary", size="small"),
    )
    return rx.cond(CheckoutPage.needs_identity, section(_("Identity check"), ask))


def bought_lines(lines: rx.Var) -> rx.Component:
    """List what is bought, each with its price."""

    def line(row: Any) -> rx.Component:
        period = rx.el.span(row.period, class_name="text-small text-quiet")
        return rx.el.li(
            rx.el.span(row.name, class_name="min-w-0"),
            rx.el.span(row.price, " ", period, class_name="shrink-0 tabular-nums"),
            class_name="flex items-baseline justify-between gap-4 py-2.5",
        )

    return rx.el.ul(rx.foreach(lines, line), class_name="divide-y divide-line border-t border-line")


def _payment() -> rx.Component:
    def method(row: Any) -> rx.Component:
        return rx.el.li(
            rx.el.span(row.name, class_name="font-medium"),
            rx.cond(row.expires != "", rx.el.span(_("Expires"), " ", row.expires, class_name="text-small text-quiet")),
            class_name="flex flex-wrap items-baseline justify-between gap-x-6 py-3",
        )

    stored = rx.el.div(
        rx.el.ul(rx.foreach(CheckoutPage.methods, method), class_name="divide-y divide-line border-y border-line"),
        rx.el.p(_("Your invoices are charged to your stored payment method."), class_name="mt-3 text-small text-quiet"),
    )
    none = rx.el.div(
        rx.el.p(_("You need a stored card before you order. You come back here afterwards."), class_name="text-quiet"),
        add_card_button(CheckoutPage.add_card),
        class_name="grid gap-4",
    )
    return section(_("Payment method"), rx.cond(CheckoutPage.methods.length() > 0, stored, none))


def add_card_button(on_click: Any, *, primary: bool = True) -> rx.Component:
    """Lead to the card page of the billing system and back to this page."""
    look: Any = "primary" if primary else "secondary"
    return rx.el.div(button(_("Add a payment method"), variant=look, on_click=on_click))


def _order() -> rx.Component:
    once = rx.cond(
        CheckoutPage.once != "", definition_list([(_("Once"), _amount(CheckoutPage.once, CheckoutPage.once_note))])
    )
    place = button(
        _("Place order"),
        busy=CheckoutPage.ordering,
        disabled=(CheckoutPage.methods.length() == 0) | CheckoutPage.needs_identity,
        type="submit",
        class_name="w-full",
    )
    return section(
        _("You pay"),
        rx.el.div(
            definition_list([(_("Each month"), _amount(CheckoutPage.monthly, CheckoutPage.monthly_note))]),
            rx.el.div(once, class_name="[&>dl]:border-t-0"),
        ),
        total_line(_("First bill with tax"), CheckoutPage.first_bill),
        rx.el.p(
            _("Nothing is charged now. Our team reviews the order; the first bill comes when your service is set up."),
            class_name="mb-5 mt-3 text-small text-quiet",
        ),
        live_form(_terms(), place, on_submit=CheckoutPage.place_order),
    )


def _terms() -> rx.Component:
    before, _mark, after = _("I have read and accept the {terms}.").partition("{terms}")
    words = rx.fragment(before, link(_("terms of service"), href=path_for("/terms"), target="_blank"), after)
    return checkbox_field(words, name="terms_accepted", error=CheckoutPage.terms_error)


def _amount(amount: Text, note: Text) -> rx.Component:
    return rx.el.span(
        rx.el.span(amount, class_name="block font-medium"),
        rx.el.span(note, class_name="block text-small text-quiet"),
    )
