"""The stored cards and banks, the credit, and what was paid."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.dialog import dialog, dialog_choice
from portal_app.components.link import link
from portal_app.components.money import figure
from portal_app.components.section import page_title, section
from portal_app.components.states import empty_state, table_skeleton
from portal_app.components.status import status
from portal_app.components.table import Column, data_table, row_link
from portal_app.language import _, path_for
from portal_app.pages.checkout.review import add_card_button
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.billing.payment_methods import PaymentMethodsPage


@page("/billing/payments", title="Payment methods", load=PaymentMethodsPage.load)
def payment_methods() -> rx.Component:
    stored = rx.el.div(
        rx.el.ul(rx.foreach(PaymentMethodsPage.rows, _method), class_name="divide-y divide-line border-y border-line"),
        add_card_button(PaymentMethodsPage.add_card, primary=False),
        class_name="grid gap-6",
    )
    empty = empty_state(
        _("No payment method yet"),
        text=_("Cards are stored by our payment partner; we see only the last four digits."),
        action=add_card_button(PaymentMethodsPage.add_card),
    )
    accepted = rx.el.p(_("You can pay by:"), " ", PaymentMethodsPage.gateways, class_name="text-small text-quiet")
    methods = rx.el.div(
        rx.cond(PaymentMethodsPage.rows.length() > 0, stored, empty),
        rx.cond(PaymentMethodsPage.gateways != "", accepted),
        _removal(),
        class_name="grid gap-6",
    )
    body = rx.fragment(methods, _credit(), _moves())
    title = page_title(_("Payment methods"), back=link(_("Invoices"), href=path_for("/billing/invoices")))
    return portal_page(title, page_body(PaymentMethodsPage, body, loading=table_skeleton(2)), active="billing")


def _method(row: Any) -> rx.Component:
    words = rx.el.div(
        rx.el.p(row.name, class_name="font-medium"),
        rx.el.p(
            row.note,
            rx.cond((row.note != "") & (row.expires != ""), " · ", ""),
            rx.cond(row.expires != "", rx.el.span(_("valid until"), " ", row.expires, class_name="tabular-nums")),
            class_name="text-small text-quiet",
        ),
        rx.cond(row.warning != "", status(row.warning, tone=row.tone)),
        rx.cond(row.is_default, status(_("Default"), tone="ok")),
        class_name="min-w-0",
    )
    default = button(
        _("Make default"),
        variant="secondary",
        size="small",
        on_click=PaymentMethodsPage.make_default(row.id),
        aria_label=_("Make default") + ": " + row.name,
    )
    away = button(
        _("Remove"),
        variant="quiet",
        size="small",
        on_click=PaymentMethodsPage.choose(row.id),
        aria_label=_("Remove") + ": " + row.name,
        aria_haspopup="dialog",
    )
    return rx.el.li(
        words,
        rx.el.div(rx.cond(row.is_default, rx.fragment(), default), away, class_name="flex flex-wrap gap-2"),
        class_name="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 py-3",
    )


def _removal() -> rx.Component:
    return dialog(
        rx.el.p(PaymentMethodsPage.chosen_name, class_name="font-medium"),
        rx.el.p(_("It can no longer be charged. Bills that are due then need another way to pay.")),
        id="remove-method",
        title=_("Remove this payment method?"),
        actions=dialog_choice("remove-method", stay=_("Keep it"), go=_("Remove it"), on_go=PaymentMethodsPage.remove),
        question=PaymentMethodsPage.question,
    )


def _credit() -> rx.Component:
    unknown = rx.el.p(_("Not known right now. It appears here when billing answers."), class_name="text-quiet")
    known = rx.el.div(
        figure(PaymentMethodsPage.credit, caption=_("left; it is used for your next invoices")),
        rx.cond(PaymentMethodsPage.credit_rows.length() > 0, _table(PaymentMethodsPage.credit_rows, _("Credit"))),
        class_name="grid gap-6",
    )
    return section(_("Credit"), rx.cond(PaymentMethodsPage.credit != "", known, unknown))


def _moves() -> rx.Component:
    unknown = rx.el.p(_("Not known right now. It appears here when billing answers."), class_name="text-quiet")
    none = rx.el.p(_("Nothing was paid yet."), class_name="text-quiet")
    rows = rx.cond(
        PaymentMethodsPage.moves.length() > 0, _table(PaymentMethodsPage.moves, _("Payments and refunds")), none
    )
    return section(_("Payments and refunds"), rx.cond(PaymentMethodsPage.moves_known, rows, unknown))


def _table(rows: rx.Var, caption: str) -> rx.Component:
    return data_table(
        rows,
        columns=[
            Column(_("When"), lambda row: row.at),
            Column(_("For"), lambda row: rx.cond(row.href != "", row_link(row.what, href=row.href), row.what)),
            Column(_("Amount"), lambda row: row.amount, align="end"),
        ],
        caption=caption,
    )
