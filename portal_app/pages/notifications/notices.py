"""The list of notices."""

from typing import Any

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.link import link
from portal_app.components.section import page_title
from portal_app.components.states import empty_state, table_skeleton
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.notifications.notices import NoticesPage


@page("/notifications", title="Notifications", load=NoticesPage.load)
def notices() -> rx.Component:
    rows = rx.el.ul(rx.foreach(NoticesPage.rows, _row), class_name="divide-y divide-line border-y border-line")
    more = button(_("Show more"), variant="secondary", on_click=NoticesPage.show_more)
    shown = rx.el.div(rows, rx.cond(NoticesPage.has_more, rx.el.div(more)), class_name="grid gap-6")
    empty = empty_state(
        _("No messages yet"),
        text=_("What happens to your orders, services and invoices is told here, and by mail."),
        action=link_button(_("Go to your dashboard"), href=path_for("/dashboard"), variant="secondary"),
    )
    body = rx.cond(NoticesPage.rows.length() > 0, shown, empty)
    all_read = button(_("Mark all as read"), variant="secondary", size="small", on_click=NoticesPage.mark_all_read)
    chosen = link(
        _("Notification settings"), href=path_for("/account/notifications"), class_name="link self-center text-small"
    )
    actions = rx.fragment(chosen, rx.cond(NoticesPage.has_unread, all_read))
    title = page_title(_("Notifications"), actions=actions)
    return portal_page(title, page_body(NoticesPage, body, loading=table_skeleton()), active="")


def _row(row: Any) -> rx.Component:
    mark = button(_("Mark as read"), variant="secondary", size="small", on_click=NoticesPage.mark_read(row.name))
    return rx.el.li(
        rx.el.div(
            rx.el.p(
                link(row.title, href=row.href, class_name="link inline-block py-1"),
                rx.cond(
                    row.is_read,
                    rx.fragment(),
                    rx.el.span(" ", _("New"), class_name="ml-2 rounded bg-accent-soft px-1.5 text-note text-accent"),
                ),
                class_name=rx.cond(row.is_read, "", "font-semibold"),
            ),
            rx.el.p(
                rx.cond(row.subject != "", row.subject + " · ", ""),
                rx.el.span(row.at, class_name="whitespace-nowrap tabular-nums"),
                class_name="text-small text-quiet",
            ),
            class_name="min-w-0",
        ),
        rx.cond(row.is_read, rx.fragment(), mark),
        class_name="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3",
    )
