"""All invoices, and one invoice with the way to pay it."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.definition import definition, definition_list, total_line
from portal_app.components.icon import icon
from portal_app.components.link import link
from portal_app.components.live_region import live_region
from portal_app.components.money import figure
from portal_app.components.section import columns, page_title, section
from portal_app.components.states import empty_state, skeleton, table_skeleton
from portal_app.components.status import status
from portal_app.components.table import Column, data_table, row_link
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.list_page import list_body, list_controls
from portal_app.pages.shell.page import page
from portal_app.state.billing.invoice import InvoicePage
from portal_app.state.billing.invoices import InvoicesPage

_PRINT = rx.Var("(() => window.print())")


@page("/billing/invoices", title="Invoices", load=InvoicesPage.load)
def invoices() -> rx.Component:
    table = data_table(
        InvoicesPage.rows,
        columns=[
            Column(_("Invoice"), lambda row: row_link(row.label, href=row.href)),
            Column(_("Issued"), lambda row: row.issued),
            Column(_("Due by"), lambda row: row.due),
            Column(_("Status"), lambda row: status(row.word, tone=row.tone)),
            Column(_("Total"), lambda row: row.total, align="end"),
        ],
        caption=_("Your invoices"),
    )
    controls = list_controls(
        InvoicesPage,
        filters=[("all", _("All")), ("due", _("Due")), ("overdue", _("Overdue")), ("paid", _("Paid"))],
        search=_("Number or amount"),
        orders=[
            ("newest", _("Newest first")),
            ("oldest", _("Oldest first")),
            ("due", _("Due first")),
            ("largest", _("Largest first")),
            ("smallest", _("Smallest first")),
        ],
    )
    none = empty_state(_("No invoices here"), text=_("No invoice matches. Change the search or show all."))
    empty = empty_state(_("No invoices yet"), text=_("Your first invoice appears here when a service is set up."))
    body = rx.el.div(
        figure(InvoicesPage.due_total, caption=InvoicesPage.due_words),
        list_body(InvoicesPage, controls, table, none=none, empty=empty),
        class_name="grid gap-8",
    )
    places = rx.fragment(
        link(_("Payment methods"), href=path_for("/billing/payments")),
        button(_("Download as CSV"), variant="quiet", size="small", on_click=InvoicesPage.download_csv),
    )
    title = page_title(_("Invoices"), actions=places)
    return portal_page(title, page_body(InvoicesPage, body, loading=table_skeleton()), active="billing")


@page("/billing/invoices/[invoice_id]", title="Invoice", load=InvoicePage.load)
def invoice() -> rx.Component:
    # On paper it says that it is a copy: the invoice itself is the PDF.
    name = rx.fragment(
        rx.el.span(InvoicePage.title, class_name="print:hidden"),
        rx.el.span(InvoicePage.copy_title, class_name="hidden print:inline"),
    )
    back = link(_("All invoices"), href=path_for("/billing/invoices"))
    title = page_title(name, lead=status(InvoicePage.word, tone=InvoicePage.tone), back=back)
    body = rx.fragment(title, columns(_bill(), _paying()))
    loading = rx.el.div(page_title(_("Invoice"), back=back), skeleton(6), class_name="grid gap-10")
    return portal_page(rx.fragment(), page_body(InvoicePage, body, loading=loading), active="billing")


def _bill() -> rx.Component:
    lines = data_table(
        InvoicePage.lines,
        columns=[
            Column(_("For"), lambda row: row.description),
            Column(_("Amount"), lambda row: row.amount, align="end"),
        ],
        caption=_("Lines of this invoice"),
    )
    credit = rx.cond(InvoicePage.credit != "", definition_list([(_("Credit"), InvoicePage.credit)]))
    sums = rx.el.div(
        definition_list([(_("Without tax"), InvoicePage.subtotal)]),
        rx.el.dl(
            rx.foreach(InvoicePage.taxes, lambda tax: definition(tax.words, tax.amount)),
            class_name="divide-y divide-line border-b border-line",
        ),
        credit,
        total_line(_("Total"), InvoicePage.total),
        rx.cond(InvoicePage.balance != "", total_line(_("Still to pay"), InvoicePage.balance)),
        class_name="[&_dl]:border-t-0",
    )
    unlined = rx.el.p(_("The single lines are not available right now."), class_name="text-quiet")
    return rx.fragment(
        section(_("What it is for"), rx.cond(InvoicePage.lines.length() > 0, lines, unlined), sums),
        rx.cond(InvoicePage.payments.length() > 0, _payments()),
    )


def _payments() -> rx.Component:
    def paid(row: Any) -> rx.Component:
        return rx.el.li(
            rx.el.span(row.at, rx.el.span(row.how, class_name="block text-small text-quiet")),
            rx.el.span(row.amount, class_name="tabular-nums"),
            class_name="flex items-baseline justify-between gap-6 py-2.5",
        )

    rows = rx.el.ul(rx.foreach(InvoicePage.payments, paid), class_name="divide-y divide-line border-y border-line")
    return section(_("Payments"), rows)


def _paying() -> rx.Component:
    pay = rx.el.div(
        button(InvoicePage.pay_words, on_click=InvoicePage.pay, class_name="w-full"),
        rx.el.p(
            _("Opens our payment page. Afterwards this page turns to paid by itself."),
            class_name="text-small text-quiet",
        ),
        class_name="mt-6 grid gap-3",
    )
    dates = rx.el.div(
        definition_list([(_("Issued"), InvoicePage.issued), (_("Due by"), InvoicePage.due)]), class_name="mt-6"
    )
    return rx.el.section(
        live_region(InvoicePage.word),
        figure(InvoicePage.headline, caption=InvoicePage.caption),
        rx.cond(InvoicePage.can_pay, rx.el.div(pay, class_name="no-print")),
        dates,
        _papers(),
        aria_label=_("Amount and payment"),
    )


def _papers() -> rx.Component:
    words = (icon("download"), _("Download as PDF"))
    pdf = button(*words, variant="secondary", on_click=InvoicePage.download_pdf, class_name="w-full")
    copy = button(_("Print this copy"), variant="quiet", on_click=rx.call_function(_PRINT), class_name="w-full")
    return rx.el.div(pdf, copy, class_name="no-print mt-6 grid gap-2")
