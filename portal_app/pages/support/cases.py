"""All support cases of a customer."""

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.field import select_field, text_field
from portal_app.components.form import live_form
from portal_app.components.link import link
from portal_app.components.section import page_title
from portal_app.components.states import empty_state, table_skeleton
from portal_app.components.status import status
from portal_app.components.table import Column, data_table, row_link
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.support.cases import CasesPage


@page("/support/cases", title="Support", load=CasesPage.load)
def support_cases() -> rx.Component:
    """Lay the page out."""
    table = data_table(
        CasesPage.rows,
        columns=[
            Column(
                _("Subject"),
                lambda row: rx.el.span(
                    row_link(row.subject, href=row.href),
                    rx.cond(row.is_unread, rx.el.span(_("New"), class_name="ml-2 text-note font-semibold text-accent")),
                    class_name="[overflow-wrap:anywhere]",
                ),
            ),
            Column(_("Status"), lambda row: status(row.word, tone=row.tone)),
            Column(_("Last message"), lambda row: row.at),
            Column(_("Topic"), lambda row: row.category),
            Column(_("Number"), lambda row: row.number, align="end"),
        ],
        caption=_("Your support cases"),
    )
    none = empty_state(_("No case matches"), text=_("Change the search or show all."))
    empty = empty_state(
        _("No questions yet"),
        text=_("What you ask us, and what we answer, stays here."),
        action=link_button(_("Ask a question"), href=path_for("/support/new")),
    )
    rows = rx.cond(CasesPage.rows.length() > 0, rx.fragment(table, _pages()), none)
    listed = rx.el.div(rx.el.div(_filters(), _search(), class_name="grid gap-4"), rows, class_name="grid gap-6")
    body = rx.cond(CasesPage.has_any, listed, empty)
    title = page_title(_("Support"), actions=link_button(_("Ask a question"), href=path_for("/support/new")))
    return portal_page(title, page_body(CasesPage, body, loading=table_skeleton()), active="support")


def _filters() -> rx.Component:
    kinds = [("all", _("All")), ("open", _("Open")), ("waiting", _("Waiting for you")), ("closed", _("Closed"))]
    look = "inline-flex min-h-9 items-center rounded px-3 text-small hover:underline"

    def choice(key: str, words: str) -> rx.Component:
        is_chosen = CasesPage.filter == key
        return rx.el.li(
            link(
                words,
                href=CasesPage.hrefs[key],
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
        ("activity", _("Last message first")),
        ("newest", _("Newest first")),
        ("oldest", _("Oldest first")),
    ]
    return live_form(
        text_field(
            _("Words or number"),
            name="q",
            type="search",
            default_value=CasesPage.search,
            max_length=100,
            key="q" + CasesPage.search,
        ),
        select_field(_("Sorted by"), orders, name="sort", default_value=CasesPage.sort, key="o" + CasesPage.sort),
        button(_("Show"), type="submit", variant="secondary"),
        on_submit=CasesPage.look_for,
        role="search",
        class_name="grid grid-cols-[minmax(0,1fr)_auto] items-end gap-4 [&>:first-child]:col-span-2 "
        "sm:grid-cols-[minmax(0,1fr)_12rem_auto] sm:[&>:first-child]:col-span-1",
    )


def _pages() -> rx.Component:
    turn = rx.el.nav(
        rx.cond(CasesPage.before != "", link(_("Previous page"), href=CasesPage.before), rx.el.span()),
        rx.el.span(CasesPage.found_words, class_name="text-quiet tabular-nums"),
        rx.cond(CasesPage.after != "", link(_("Next page"), href=CasesPage.after), rx.el.span()),
        aria_label=_("Pages"),
        class_name="flex flex-wrap items-baseline justify-between gap-4 text-small",
    )
    return rx.cond(CasesPage.found_words != "", turn)
