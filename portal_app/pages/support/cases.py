"""All support cases of a customer."""

from typing import Any

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.section import page_title
from portal_app.components.states import empty_state, table_skeleton
from portal_app.components.status import status
from portal_app.components.table import Column, data_table, row_link
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.list_page import list_body, list_controls
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
                _subject,
            ),
            Column(_("Status"), lambda row: status(row.word, tone=row.tone)),
            Column(_("Last message"), lambda row: row.at, is_short=True),
            Column(_("Topic"), lambda row: row.category, is_wide_only=True),
            Column(_("Case number"), lambda row: row.number, align="end", is_wide_only=True),
        ],
        caption=_("Your support cases"),
    )
    controls = list_controls(
        CasesPage,
        filters=[("all", _("All")), ("open", _("Open")), ("waiting", _("Our team replied")), ("closed", _("Closed"))],
        search=_("Words or number"),
        orders=[
            ("activity", _("Last message first")),
            ("newest", _("Newest first")),
            ("oldest", _("Oldest first")),
        ],
    )
    none = empty_state(_("No case matches"), text=_("Change the search or show all."))
    empty = empty_state(
        _("No questions yet"),
        text=_("What you ask us, and what we answer, stays here."),
        action=link_button(_("Ask a question"), href=path_for("/support/new")),
    )
    body = list_body(CasesPage, controls, table, none=none, empty=empty)
    # The empty list offers the same by itself.
    ask = rx.cond(CasesPage.has_any, link_button(_("Ask a question"), href=path_for("/support/new")))
    title = page_title(_("Support"), actions=ask)
    return portal_page(title, page_body(CasesPage, body, loading=table_skeleton()), active="support")


def _subject(row: Any) -> rx.Component:
    new = rx.el.span(_("New"), class_name="rounded bg-accent-soft px-1.5 text-note font-semibold text-accent")
    return rx.el.span(
        row_link(row.subject, href=row.href),
        rx.cond(row.is_unread, new),
        class_name="flex flex-wrap items-baseline gap-x-2 [overflow-wrap:anywhere]",
    )
