"""All support cases of a customer."""

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
    controls = list_controls(
        CasesPage,
        filters=[("all", _("All")), ("open", _("Open")), ("waiting", _("Waiting for you")), ("closed", _("Closed"))],
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
    title = page_title(_("Support"), actions=link_button(_("Ask a question"), href=path_for("/support/new")))
    return portal_page(title, page_body(CasesPage, body, loading=table_skeleton()), active="support")
