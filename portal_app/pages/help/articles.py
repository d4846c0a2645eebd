"""Help: all articles, the search in them, and one article. The server fills them in."""

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.field import text_field
from portal_app.components.form import native_form
from portal_app.components.frame import public_frame
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import page_title, section
from portal_app.components.slot import place, slot
from portal_app.components.static_pages import static_page
from portal_app.language import _, path_for, spoken
from portal_app.pages.shell.other_language import to_language
from portal_app.pages.shell.page import page

_LIST = "grid gap-x-10 gap-y-5 sm:grid-cols-2"


@page("/help", title="Help", is_static=True)
def help_overview() -> rx.Component:
    """Lay the page out."""
    results = section(
        _("What we found"),
        rx.el.ul(slot("found", _found()), class_name="grid gap-6"),
        aside=link(_("All articles"), href=path_for("/help"), reload=True),
    )
    none = message(
        _("Try other words, look at the list below, or ask our team."),
        title=_("Nothing was found for that"),
        action=link(_("Contact"), href=path_for("/contact"), reload=True),
    )
    busy = message(_("You searched very often. Wait for a moment."), tone="attention")
    title = page_title(_("Help"), lead=_("How things work here, step by step."), actions=_translation())
    return static_page(
        public_frame(
            title, _search(), slot("busy", busy), slot("none", none), slot("results", results), _groups(), _ask()
        )
    )


@page("/help/article", title="Help", is_static=True)
def help_article() -> rx.Component:
    """Lay the template of every article out."""
    missing = rx.el.div(
        page_title(_("There is no help page here"), lead=_("The address may be incomplete, or the page has moved.")),
        _search(place_of_query=""),
        class_name="grid gap-10",
    )
    return static_page(public_frame(slot("article", _article()), slot("missing", missing), _groups(), _ask()))


def _article() -> rx.Component:
    back = link(_("All articles"), href=path_for("/help"), reload=True)
    head = page_title(place("title"), lead=place("summary"), back=back, actions=_translation())
    related = slot("more", section(_("Related"), rx.el.ul(slot("related", _line()), class_name=_LIST)))
    return rx.el.div(
        rx.el.article(
            head,
            rx.el.div(place("body"), class_name="article max-w-[44rem]"),
            rx.el.p(_("Updated"), " ", place("updated"), class_name="text-small text-quiet"),
            class_name="grid min-w-0 gap-8",
        ),
        rx.el.div(_question(), related, id="answered", class_name="no-print grid scroll-mt-8 gap-10"),
        class_name="grid min-w-0 gap-10",
    )


def _question() -> rx.Component:
    ask = native_form(
        rx.el.p(_("Did this answer your question?"), class_name="font-medium"),
        rx.el.div(
            button(_("Yes"), type="submit", name="helped", value="yes", variant="secondary", size="small"),
            button(_("No"), type="submit", name="helped", value="no", variant="secondary", size="small"),
            class_name="flex gap-3",
        ),
        action=place("action"),
        class_name="flex flex-wrap items-center gap-x-6 gap-y-3 border-y border-line py-5",
    )
    contact = link(_("Ask our team"), href=path_for("/support/new"), reload=True)
    return rx.fragment(
        slot("ask", ask),
        slot("thanks", message(_("Thank you. That helps us to write better pages."), tone="ok")),
        slot("sorry", message(_("Thank you for telling us. Our team can help."), tone="attention", action=contact)),
    )


def _search(*, place_of_query: str | None = None) -> rx.Component:
    value = place("q") if place_of_query is None else place_of_query
    field = text_field(
        _("Search the help"), name="q", type="search", default_value=value, max_length=100, auto_complete="off"
    )
    return native_form(
        rx.el.div(field, class_name="min-w-0 flex-1"),
        button(_("Search"), type="submit"),
        action=path_for("/help"),
        method="get",
        role="search",
        class_name="no-print flex max-w-2xl items-end gap-3",
    )


def _groups() -> rx.Component:
    group = section(place("name"), rx.el.ul(slot("line", _line()), class_name=_LIST))
    return rx.el.div(slot("group", group), class_name="no-print grid gap-10 empty:hidden")


def _line() -> rx.Component:
    return rx.el.li(
        link(place("name"), href=place("href"), reload=True, class_name="link font-medium"),
        rx.el.p(place("summary"), class_name="text-small text-quiet"),
    )


def _found() -> rx.Component:
    return rx.el.li(
        link(place("name"), href=place("href"), reload=True, class_name="link text-body font-medium"),
        rx.el.p(place("snippet"), class_name="max-w-prose text-small text-quiet"),
    )


def _ask() -> rx.Component:
    look = "inline-flex min-h-11 items-center font-medium text-accent hover:underline"
    return rx.el.div(
        section(
            _("Not what you were looking for?"),
            rx.el.div(
                link_button(_("Ask our team"), href=path_for("/support/new"), reload=True, variant="secondary"),
                link(_("Contact"), href=path_for("/contact"), reload=True, class_name=look),
                link(_("Service status"), href=path_for("/status"), reload=True, class_name=look),
                class_name="flex flex-wrap items-center gap-x-6 gap-y-1",
            ),
        ),
        class_name="no-print",
    )


def _translation() -> rx.Component:
    return to_language("en" if spoken() == "ja" else "ja", place("translation"))
