"""Which notices a customer gets and where, and the calendar link."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.credentials import credentials
from portal_app.components.dialog import dialog, dialog_button, dialog_choice
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.message import flash
from portal_app.components.section import page_title, section
from portal_app.components.states import skeleton
from portal_app.components.status import status
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.notifications.preferences import NotificationsPage

_NEW, _END = "new-calendar-link", "end-calendar-link"


@page("/account/notifications", title="Notification settings", load=NotificationsPage.load)
def notifications() -> rx.Component:
    body = rx.el.div(
        flash(NotificationsPage.note, tone="ok"),
        section(_("What we tell you"), _choices()),
        section(_("Due dates in your calendar"), _calendar()),
        class_name="grid max-w-2xl gap-12",
    )
    title = page_title(
        _("Notification settings"),
        lead=_("What is told here in the portal and by mail, and your due dates in your own calendar."),
        back=link(_("Account"), href=path_for("/account")),
        actions=link(_("All notifications"), href=path_for("/notifications")),
    )
    return portal_page(title, page_body(NotificationsPage, body, loading=skeleton(8)), active="account")


def _choices() -> rx.Component:
    rows = rx.el.ul(rx.foreach(NotificationsPage.rows, _row), class_name="divide-y divide-line border-y border-line")
    note = rx.el.p(
        _("What needs you is told in any case: an order that waits for you, for instance."),
        class_name="text-small text-quiet",
    )
    return live_form(
        rows,
        note,
        form_actions(button(_("Save"), type="submit")),
        on_submit=NotificationsPage.save,
        key=NotificationsPage.form_version.to_string(),
    )


def _row(row: Any) -> rx.Component:
    words = rx.el.div(
        rx.el.p(row.title, class_name="font-medium"),
        rx.el.p(row.text, class_name="text-small text-quiet"),
        class_name="min-w-0 flex-1 basis-56",
    )
    boxes = rx.el.div(
        _box(row, "portal", _("In the portal"), row.portal, row.portal_locked),
        _box(row, "mail", _("By mail"), row.mail, row.mail_locked),
        class_name="grid w-full grid-cols-2 items-center gap-x-4 sm:w-80",
    )
    return rx.el.li(words, boxes, class_name="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3")


def _box(row: Any, way: str, words: str, checked: Any, locked: Any) -> rx.Component:
    place = f"{way}-" + row.topic
    box = rx.el.label(
        rx.el.input(
            type="checkbox",
            name=place,
            id=place,
            default_checked=checked,
            class_name="size-6 shrink-0 accent-accent",
            aria_label=row.title + ": " + words,
        ),
        words,
        class_name="flex items-center gap-2",
    )
    always = rx.el.p(words, ": ", status(_("always"), tone="ok"), class_name="flex flex-wrap items-center gap-x-1.5")
    return rx.cond(locked, rx.cond(row.topic == "security", _always(way, always), always), box)


def _always(way: str, shown: rx.Component) -> rx.Component:
    """Return the words for a topic whose notices stand in the security history, not in the list of messages."""
    return shown if way == "mail" else link(_("Security history"), href=path_for("/account/security/history"))


def _calendar() -> rx.Component:
    about = rx.el.p(
        _("A secret link for your calendar program: due dates of invoices, renewals and last days of your services."),
        " ",
        _("Anyone who has it can read these days and the names of your services, and nothing else."),
        class_name="text-quiet",
    )
    shown = rx.el.div(
        rx.el.p(_("Your link. It is shown only now: add it to your calendar program."), class_name="font-medium"),
        rx.el.code(
            NotificationsPage.calendar_link,
            id="calendar-link",
            class_name="block rounded border border-line p-3 font-mono text-small [overflow-wrap:anywhere]",
        ),
        rx.el.div(button(_("Copy"), size="small", on_click=credentials("copyText", "calendar-link"))),
        class_name="grid gap-3",
    )
    make = button(_("Make a calendar link"), variant="secondary", on_click=NotificationsPage.make_link)
    has = rx.el.div(
        rx.el.p(status(_("Your link is on"), tone="ok"), " ", _("since"), " ", NotificationsPage.calendar_since),
        rx.el.div(
            dialog_button(_("Make a new link"), opens=_NEW, size="small"),
            dialog_button(_("End the link"), opens=_END, variant="quiet", size="small"),
            class_name="flex flex-wrap gap-3",
        ),
        _sure(_NEW, _("Make a new link?"), _("Make a new link"), NotificationsPage.make_link),
        _sure(_END, _("End the link?"), _("End the link"), NotificationsPage.end_link),
        class_name="grid gap-4",
    )
    return rx.el.div(
        about,
        rx.cond(NotificationsPage.calendar_link != "", shown),
        rx.cond(NotificationsPage.calendar_since != "", has, rx.el.div(make)),
        class_name="grid gap-5",
    )


def _sure(place: str, title: str, words: str, handler: Any) -> rx.Component:
    return dialog(
        rx.el.p(_("Calendars that use the present link stop being kept up to date.")),
        id=place,
        title=title,
        actions=dialog_choice(place, stay=_("Keep the present link"), go=words, on_go=handler),
    )
