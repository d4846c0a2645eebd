"""The stored cards and banks."""

import reflex as rx

from portal_app.components.link import link
from portal_app.components.section import page_title
from portal_app.components.states import empty_state, table_skeleton
from portal_app.components.table import Column, data_table
from portal_app.language import _, path_for
from portal_app.pages.checkout import add_card_form
from portal_app.pages.frame import faces, portal_page
from portal_app.pages.page import page
from portal_app.state.payment_methods import PaymentMethodsPage


@page("/billing/payments", title="Payment methods", load=PaymentMethodsPage.load)
def payment_methods() -> rx.Component:
    """Lay the page out."""
    table = data_table(
        PaymentMethodsPage.rows,
        columns=[
            Column(_("Payment method"), lambda row: rx.el.span(row.name, class_name="font-medium")),
            Column(_("Note"), lambda row: rx.cond(row.note != "", row.note, "–")),
            Column(_("Expires"), lambda row: rx.cond(row.expires != "", row.expires, "–"), align="end"),
        ],
        caption=_("Your stored cards and banks"),
    )
    stored = rx.el.div(table, add_card_form(PaymentMethodsPage.path, primary=False), class_name="grid gap-6")
    empty = empty_state(
        _("No payment method yet"),
        text=_("Cards are stored by our payment partner; we see only the last four digits."),
        action=add_card_form(PaymentMethodsPage.path),
    )
    body = rx.cond(PaymentMethodsPage.rows.length() > 0, stored, empty)
    title = page_title(_("Payment methods"), back=link(_("Invoices"), href=path_for("/billing/invoices")))
    return portal_page(title, faces(PaymentMethodsPage, body, loading=table_skeleton(2)), active="billing")
