"""The security history."""

import reflex as rx

from portal_app.components.button import button
from portal_app.components.link import link
from portal_app.components.section import page_title
from portal_app.components.states import table_skeleton
from portal_app.components.table import Column, data_table
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.identity.history import HistoryPage


@page("/account/security/history", title="Security history", load=HistoryPage.load)
def history() -> rx.Component:
    table = data_table(
        HistoryPage.rows,
        columns=[
            Column(_("What"), lambda row: rx.el.span(row.what, class_name="font-medium")),
            Column(_("When"), lambda row: row.at),
            Column(_("Who"), lambda row: row.who),
            Column(_("From"), lambda row: row.where),
        ],
        caption=_("What happened to your account, newest first"),
    )
    more = button(_("Show more"), variant="secondary", on_click=HistoryPage.show_more)
    body = rx.el.div(table, rx.cond(HistoryPage.has_more, rx.el.div(more)), class_name="grid gap-6")
    title = page_title(
        _("Security history"),
        lead=_("If something here was not you, change your password and write to us."),
        back=link(_("Security"), href=path_for("/account/security")),
    )
    return portal_page(title, page_body(HistoryPage, body, loading=table_skeleton()), active="account")
