"""All invoices, and one invoice with the way to pay it."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.definition import definition_list, total_line
from portal_app.components.field import select_field, text_field
from portal_app.components.form import live_form
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
from portal_app.pages.shell.page import page
from portal_app.state.billing.invoice import InvoicePage
from portal_app.state.billing.invoices import InvoicesPage

_PRINT = rx.Var("(() => window.print())")


@page("/billing/invoices", title="Invoices", load=InvoicesPage.load)
def invoices() -> rx.Component:
    """Lay the page out."""
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
    none = empty_state(_("No invoices here"), text=_("No invoice matches. Change the search or show all."))
    empty = empty_state(_("No invoices yet"), text=_("Your first invoice appears here when a service is set up."))
    rows = rx.cond(InvoicesPage.rows.length() > 0, rx.fragment(table, _pages()), none)
    listed = rx.el.div(rx.el.div(_filters(), _search(), class_name="grid gap-4"), rows, class_name="grid gap-6")
    body = rx.el.div(
        figure(InvoicesPage.due_total, caption=InvoicesPage.due_words),
        rx.cond(InvoicesPage.has_any, listed, empty),
        class_name="grid gap-8",
    )
    places = rx.fragment(
        link(_("Payment methods"), href=path_for("/billing/payments")),
        button(_("Download as CSV"), variant="quiet", size="small", on_click=InvoicesPage.download_csv),
    )
    title = page_title(_("Invoices"), actions=places)
    return portal_page(title, page_body(InvoicesPage, body, loading=table_skeleton()), active="billing")


def _filters() -> rx.Component:
    kinds = [("all", _("All")), ("due", _("Due")), ("overdue", _("Overdue")), ("paid", _("Paid"))]
    look = "inline-flex min-h-9 items-center rounded px-3 text-small hover:underline"

    def choice(key: str, words: str) -> rx.Component:
        is_chosen = InvoicesPage.filter == key
        return rx.el.li(
            link(
                words,
                href=InvoicesPage.hrefs[key],
                aria_current=rx.cond(is_chosen, "true", "false"),
                class_name=rx.cond(is_chosen, f"{look} bg-accent-soft font-semibold text-accent", f"{look} text-quiet"),
            )
        )

    return rx.el.nav(
        rx.el.ul(*[choice(*kind) for kind in kinds], class_name="-ml-3 flex flex-wrap gap-1"),
        aria_label=_("Show"),
    )


def _search() -> rx.Component:
    orders = [
        ("newest", _("Newest first")),
        ("oldest", _("Oldest first")),
        ("due", _("Due first")),
        ("largest", _("Largest first")),
        ("smallest", _("Smallest first")),
    ]
    return live_form(
        text_field(
            _("Number or amount"),
            name="q",
            type="search",
            default_value=InvoicesPage.search,
            max_length=100,
            key="q" + InvoicesPage.search,
        ),
        select_field(_("Sorted by"), orders, name="sort", default_value=InvoicesPage.sort, key="o" + InvoicesPage.sort),
        button(_("Show"), type="submit", variant="secondary"),
        on_submit=InvoicesPage.look_for,
        role="search",
        class_name="grid grid-cols-[minmax(0,1fr)_auto] items-end gap-4 [&>:first-child]:col-span-2 "
        "sm:grid-cols-[minmax(0,1fr)_12rem_auto] sm:[&>:first-child]:col-span-1",
    )


def _pages() -> rx.Component:
    """Lead to the pages before and after; nothing where all fits on one."""
    turn = rx.el.nav(
        rx.cond(InvoicesPage.before != "", link(_("Previous page"), href=InvoicesPage.before), rx.el.span()),
        rx.el.span(InvoicesPage.found_words, class_name="text-quiet tabular-nums"),
        rx.cond(InvoicesPage.after != "", link(_("Next page"), href=InvoicesPage.after), rx.el.span()),
        aria_label=_("Pages"),
        class_name="flex flex-wrap items-baseline justify-between gap-4 text-small",
    )
    return rx.cond(InvoicesPage.found_words != "", turn)


@page("/billing/invoices/[invoice_id]", title="Invoice", load=InvoicePage.load)
def invoice() -> rx.Component:
    """Lay the page out."""
    # On paper it says that it is a copy: the invoice itself is the PDF.
    name = rx.fragment(
        rx.el.span(InvoicePage.title, class_name="print:hidden"),
        rx.el.span(InvoicePage.copy_title, class_name="hidden print:inline"),
    )
    title = page_title(name, lead=status(InvoicePage.word, tone=InvoicePage.tone), back=_back())
    body = rx.fragment(title, columns(_bill(), _paying()))
    return portal_page(rx.fragment(), page_body(InvoicePage, body, loading=_loading()), active="billing")


def _back() -> rx.Component:
    return link(_("All invoices"), href=path_for("/billing/invoices"))


def _loading() -> rx.Component:
    return rx.el.div(page_title(_("Invoice"), back=_back()), skeleton(6), class_name="grid gap-10")


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
        rx.el.dl(rx.foreach(InvoicePage.taxes, _tax), class_name="divide-y divide-line border-b border-line"),
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


def _tax(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.dt(row.words, class_name="text-quiet"),
        rx.el.dd(row.amount, class_name="text-right tabular-nums"),
        class_name="flex items-baseline justify-between gap-6 py-2.5",
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
