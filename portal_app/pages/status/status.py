"""The service status: each part, what is announced, and the last 90 days. The server fills it in."""

import reflex as rx

from portal_app.components.button import button
from portal_app.components.form import native_form
from portal_app.components.frame import public_frame
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import page_title, section
from portal_app.components.slot import place, slot
from portal_app.components.static_pages import static_page
from portal_app.components.status import status
from portal_app.language import _, path_for
from portal_app.pages.shell.other_language import other_language
from portal_app.pages.shell.page import page

_WORDS = "mt-2 max-w-prose whitespace-pre-line"


@page("/status", title="Service status", is_static=True)
def service_status() -> rx.Component:
    """Lay the page out."""
    title = page_title(
        _("Service status"),
        lead=_("As of {time} (Japan time)").format(time=place("at")),
        actions=other_language("/status"),
    )
    notes = rx.fragment(
        slot("follows", message(_("We mail you once it is over."), tone="ok")),
        slot("follows-no-more", message(_("We do not mail you about it."), tone="info")),
        slot("all-well", message(_("Everything works as it should."), tone="ok")),
        slot("trouble", message(_("Something does not work as it should. Details below."), tone="attention")),
        slot(
            "saved",
            message(
                rx.fragment(_("Announcements as last known, from"), " ", place("time"), "."),
                tone="attention",
                title=_("Our own records do not answer"),
            ),
        ),
        slot("unknown", message(_("What is announced cannot be read right now."), tone="attention")),
    )
    return static_page(
        public_frame(
            title,
            rx.el.div(notes, class_name="grid gap-3"),
            slot("current", section(_("Right now"), _items(is_open=True))),
            slot("planned", section(_("Planned"), _items(is_open=True))),
            _parts(),
            slot("over", section(_("Earlier announcements"), _items(is_open=False))),
            slot(
                "quiet",
                section(_("Earlier announcements"), rx.el.p(_("Nothing was announced."), class_name="text-quiet")),
            ),
            _further(),
        ),
        stays_fresh=True,
    )


def _parts() -> rx.Component:
    row = rx.el.li(
        rx.el.span(place("name"), class_name="min-w-0 flex-1 basis-48"),
        status(place("words"), tone=place("tone")),
        class_name="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1 py-3",
    )
    return section(
        _("Parts of the portal"),
        rx.el.ul(slot("part", row), class_name="divide-y divide-line border-y border-line"),
    )


def _items(*, is_open: bool) -> rx.Component:
    return rx.el.ul(slot("item", _item(is_open=is_open)), class_name="grid gap-8")


def _item(*, is_open: bool) -> rx.Component:
    about = rx.el.div(
        status(place("kind"), tone=place("tone")),
        slot("services", rx.el.span(place("names"))),
        slot("areas", rx.el.span(place("names"))),
        class_name="flex flex-wrap gap-x-4 gap-y-1 text-small text-quiet",
    )
    times = rx.el.p(
        rx.el.span(place("begin")),
        slot("until", rx.el.span(_("expected until"), " ", place("time"))),
        slot("end", rx.el.span(_("over since"), " ", place("time"))),
        class_name="mt-2 flex flex-wrap gap-x-4 text-small text-quiet tabular-nums",
    )  # fmt: skip
    update = rx.el.li(
        rx.el.p(place("at"), class_name="text-small text-quiet"),
        rx.el.p(place("text"), class_name="max-w-prose whitespace-pre-line"),
        class_name="border-l-2 border-line pl-4",
    )
    follow = native_form(
        button(_("Tell me when it is over"), type="submit", variant="secondary", size="small"),
        action=f"/api/status/{place('id')}/follow",
        class_name="no-print mt-4",
    )
    return rx.el.li(
        about,
        rx.el.h3(place("title"), class_name="mt-1 text-lead font-semibold"),
        rx.el.p(place("text"), class_name=_WORDS),
        times,
        rx.el.ul(slot("update", update), class_name="mt-4 grid gap-3 empty:hidden"),
        follow if is_open else rx.fragment(),
        class_name="border-t border-line pt-5",
    )


def _further() -> rx.Component:
    return rx.el.p(
        _("Something does not work, and it is not announced here?"),
        " ",
        link(_("Contact"), href=path_for("/contact"), reload=True, class_name="link whitespace-nowrap"),
        class_name="no-print text-quiet",
    )
