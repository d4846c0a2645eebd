"""All orders, and one order as it moves."""

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.definition import definition_list
from portal_app.components.link import link
from portal_app.components.live_region import live_region
from portal_app.components.message import message
from portal_app.components.section import columns, page_title, section
from portal_app.components.states import empty_state, skeleton, table_skeleton
from portal_app.components.status import status
from portal_app.components.table import Column, data_table, row_link
from portal_app.components.timeline import timeline
from portal_app.language import _, path_for
from portal_app.pages.checkout.review import add_card_button, bought_lines
from portal_app.pages.shell.frame import page_body, portal_page, support_link
from portal_app.pages.shell.page import page
from portal_app.state.orders.order import OrderPage
from portal_app.state.orders.orders import OrdersPage


@page("/orders", title="Orders", load=OrdersPage.load)
def orders() -> rx.Component:
    table = data_table(
        OrdersPage.rows,
        columns=[
            Column(_("Order"), lambda row: row_link(row.title, href=row.href)),
            Column(_("Placed"), lambda row: row.placed),
            Column(_("Status"), lambda row: status(row.word, tone=row.tone)),
            Column(_("Each month with tax"), lambda row: row.monthly, align="end"),
        ],
        caption=_("Your orders, newest first"),
    )
    empty = empty_state(
        _("No orders yet"),
        text=_("What you order is listed here, with every step it takes."),
        action=link_button(_("See the plans"), href=path_for("/catalog")),
    )
    body = rx.cond(OrdersPage.rows.length() > 0, table, empty)
    return portal_page(page_title(_("Orders")), page_body(OrdersPage, body, loading=table_skeleton()), active="orders")


@page("/orders/[order_id]", title="Order", load=OrderPage.load)
def order() -> rx.Component:
    back = link(_("All orders"), href=path_for("/orders"))
    title = page_title(
        OrderPage.title,
        lead=rx.el.span(
            status(OrderPage.word, tone=OrderPage.tone),
            rx.el.span(_("Placed"), " ", OrderPage.placed, class_name="text-small"),
            class_name="flex flex-wrap items-baseline gap-x-4",
        ),
        back=back,
    )
    left = rx.fragment(_next(), section(_("Steps"), timeline(OrderPage.steps, label=_("Steps of this order"))))
    body = rx.fragment(title, columns(left, _price()))
    loading = rx.el.div(page_title(_("Order"), back=back), skeleton(6), class_name="grid gap-10")
    return portal_page(rx.fragment(), page_body(OrderPage, body, loading=loading), active="orders")


def _next() -> rx.Component:
    identity = path_for("/account/verification")
    actions = rx.match(
        OrderPage.waits_for,
        ("card", add_card_button(OrderPage.add_card)),
        ("document", "new_document", link_button(_("Send a document"), href=identity, size="small")),
        ("document_check", link(_("See your identity check"), href=identity)),
        rx.cond(OrderPage.is_active, link(_("See your services"), href=path_for("/subscriptions")), rx.fragment()),
    )
    tone = rx.match(OrderPage.tone, ("attention", "attention"), ("problem", "problem"), ("ok", "ok"), "info")
    title = rx.match(
        OrderPage.tone,
        ("ok", _("Ready to use")),
        ("attention", _("Waiting for you")),
        ("problem", "neutral", _("What happened")),
        _("What happens next"),
    )
    return rx.el.div(
        live_region(OrderPage.word),
        message(OrderPage.story, tone=tone, title=title, action=actions),
        rx.cond(
            (OrderPage.waits_for != "") | (OrderPage.tone == "problem"),
            rx.el.p(_("Questions?"), " ", support_link(OrderPage.support), class_name="mt-3 text-small text-quiet"),
        ),
    )


def _price() -> rx.Component:
    once = rx.cond(OrderPage.has_once, definition_list([(_("Once with tax"), OrderPage.once)]))
    return section(
        _("What you ordered"),
        bought_lines(OrderPage.lines),
        definition_list([(_("Each month with tax"), rx.el.strong(OrderPage.monthly, class_name="font-semibold"))]),
        rx.el.div(once, class_name="[&>dl]:border-t-0"),
        rx.el.p(_("Prices of the single lines are without tax."), class_name="mt-3 text-small text-quiet"),
    )
