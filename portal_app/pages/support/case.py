"""One support case: the conversation, and the box to reply."""

from typing import Any

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.definition import definition_list
from portal_app.components.field import text_area
from portal_app.components.file_list import file_list
from portal_app.components.file_uploads import file_uploads
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.live_region import live_region
from portal_app.components.section import columns, page_title, section
from portal_app.components.states import skeleton
from portal_app.components.status import status
from portal_app.language import _, path_for
from portal_app.pages.shell.address_form import error_of
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.pages.support.reply_form import reply_form
from portal_app.state.support.case import CasePage

_SAVE_AFTER_MS = 700


@page("/support/cases/[case_id]", title="Support case", load=CasePage.load)
def support_case() -> rx.Component:
    """Lay the page out."""
    title = page_title(CasePage.subject, lead=status(CasePage.word, tone=CasePage.tone), back=_back())
    entries = rx.el.ol(rx.foreach(CasePage.entries, _entry), class_name="grid gap-6", aria_label=_("Conversation"))
    seen = rx.cond(CasePage.seen_note != "", rx.el.p(CasePage.seen_note, class_name="text-small text-quiet"))
    main = rx.fragment(live_region(CasePage.announcement), entries, seen, _reply())
    body = rx.fragment(title, columns(main, _facts()))
    loading = rx.el.div(page_title(_("Support case"), back=_back()), skeleton(6), class_name="grid gap-10")
    return portal_page(rx.fragment(), page_body(CasePage, body, loading=loading), active="support")


def _back() -> rx.Component:
    return link(_("All cases"), href=path_for("/support/cases"))


def _entry(entry: Any) -> rx.Component:
    actions = rx.fragment(
        rx.cond(
            entry.can_take_back,
            button(_("Take it back"), variant="secondary", size="small", on_click=CasePage.take_back(entry.id)),
        ),
        rx.cond(
            entry.is_refused,
            button(_("Try again"), variant="secondary", size="small", on_click=CasePage.try_again(entry.id)),
        ),
    )
    note = rx.el.div(
        rx.el.span(status(entry.note, tone=entry.tone), class_name="text-small"),
        actions,
        class_name="mt-2 flex flex-wrap items-center gap-3",
    )
    look = "max-w-prose border-l-2 pl-4"
    return rx.el.li(
        rx.el.p(
            rx.el.span(entry.author, class_name="font-semibold"),
            rx.el.span(entry.at, class_name="ml-3 text-small text-quiet tabular-nums"),
        ),
        rx.el.p(entry.text, class_name="mt-1 whitespace-pre-wrap [overflow-wrap:anywhere]"),
        file_list(entry.files, entry.small_files, entry.small_words),
        rx.cond(entry.note != "", note),
        key=entry.id,
        class_name=rx.cond(entry.is_own, f"{look} border-line", f"{look} border-accent"),
    )


def _reply() -> rx.Component:
    box = live_form(
        text_area(
            _("Your message"),
            name="text",
            rows="5",
            default_value=CasePage.draft,
            key=CasePage.box,
            on_change=CasePage.save_draft.debounce(_SAVE_AFTER_MS),
            error=error_of(CasePage, "text"),
        ),
        rx.el.p(CasePage.draft_note, role="status", class_name="text-small text-quiet empty:hidden"),
        file_uploads(CasePage.uploading, error=error_of(CasePage, "uploads")),
        form_actions(button(_("Send"), type="submit")),
        on_submit=CasePage.send,
    )
    rule = rx.cond(CasePage.rule != "", rx.el.p(CasePage.rule, class_name="mb-4 text-quiet"))
    follow = link_button(_("Open a new case"), href=CasePage.follow_href)
    return section(_("Reply"), rule, rx.cond(CasePage.can_reply, rx.fragment(box, reply_form(CasePage)), follow))


def _facts() -> rx.Component:
    facts = definition_list(
        [
            (_("Number"), CasePage.number),
            (_("Topic"), CasePage.category),
            (_("Opened"), CasePage.opened),
        ]
    )
    about = rx.cond(
        CasePage.about != "",
        rx.el.p(_("About:"), " ", link(CasePage.about, href=CasePage.about_href), class_name="mt-4"),
    )
    return section(_("Details"), facts, about)
