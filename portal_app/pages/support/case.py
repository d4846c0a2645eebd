"""One support case: the conversation, and the box to reply."""

from typing import Any

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.definition import definition_list
from portal_app.components.disclosure import disclosure
from portal_app.components.draft_note import draft_note
from portal_app.components.field import choice_field, choice_group, text_area, text_field
from portal_app.components.file_list import file_list
from portal_app.components.file_uploads import file_uploads
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.live_region import live_region
from portal_app.components.message import flash
from portal_app.components.section import columns, page_title, section
from portal_app.components.states import skeleton
from portal_app.components.status import status
from portal_app.language import _, path_for
from portal_app.pages.shell.address_form import error_of
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.pages.support.new_case import room_left, send_words
from portal_app.pages.support.reply_form import reply_form
from portal_app.state.support.case import CasePage

_SAVE_AFTER_MS = 700
_TYPED = rx.Var("document.getElementById('text')?.value ?? ''").to(str)
# What was just read is on the page a moment later.
_PRINT = rx.Var("(() => setTimeout(() => window.print(), 200))")


@page("/support/cases/[case_id]", title="Support case", load=CasePage.load)
def support_case() -> rx.Component:
    """Lay the page out."""
    title = page_title(CasePage.subject, lead=status(CasePage.word, tone=CasePage.tone), back=_back())
    earlier = rx.cond(
        CasePage.earlier,
        button(_("Show earlier entries"), variant="quiet", size="small", on_click=CasePage.show_earlier),
    )
    entries = rx.el.ol(
        rx.foreach(CasePage.entries, _entry),
        class_name="grid grid-cols-[minmax(0,1fr)] gap-4",
        aria_label=_("Conversation"),
    )
    seen = rx.cond(CasePage.seen_note != "", rx.el.p(CasePage.seen_note, class_name="text-small text-quiet"))
    answer = rx.cond(CasePage.answer != "", rx.el.p(CasePage.answer, class_name="text-small text-quiet"))
    waiting = rx.el.div(seen, answer, class_name="grid gap-1 px-4 empty:hidden")
    main = rx.fragment(
        live_region(CasePage.announcement),
        rx.el.div(earlier, class_name="no-print empty:hidden"),
        rx.el.div(entries, waiting, class_name="grid gap-4"),
        rx.el.div(_ending(), _reply(), class_name="no-print grid gap-10"),
    )
    body = rx.fragment(title, columns(main, rx.fragment(_facts(), _papers())))
    loading = rx.el.div(page_title(_("Support case"), back=_back()), skeleton(6), class_name="grid gap-10")
    return portal_page(rx.fragment(), page_body(CasePage, body, loading=loading), active="support")


def _back() -> rx.Component:
    return link(_("All cases"), href=path_for("/support/cases"))


def _entry(entry: Any) -> rx.Component:
    actions = rx.fragment(
        rx.cond(
            entry.can_take_back,
            button(
                _("Take it back"),
                variant="secondary",
                size="small",
                on_click=CasePage.take_back(entry.id, _TYPED),
            ),
        ),
        rx.cond(
            entry.is_refused,
            button(_("Try again"), variant="secondary", size="small", on_click=CasePage.try_again(entry.id)),
        ),
    )
    note = rx.el.div(
        rx.el.span(status(entry.note, tone=entry.tone, wraps=True), class_name="min-w-0 text-small"),
        actions,
        class_name="mt-2 flex flex-wrap items-center gap-3",
    )
    look = "max-w-prose min-w-0 rounded border px-4 py-3"
    quoted = disclosure(
        _("Show what is quoted"),
        rx.el.p(entry.quoted, class_name="mt-1 whitespace-pre-wrap text-quiet [overflow-wrap:anywhere]"),
        class_name="mt-2",
    )
    line = rx.el.li(
        rx.el.span(entry.text),
        rx.el.span(entry.at, class_name="whitespace-nowrap tabular-nums"),
        key=entry.id,
        class_name="flex flex-wrap gap-x-3 px-4 text-small text-quiet",
    )
    said = rx.el.li(
        rx.el.p(
            rx.el.span(entry.author, class_name="font-semibold"),
            rx.el.span(entry.at, class_name="whitespace-nowrap text-small text-quiet tabular-nums"),
            class_name="flex flex-wrap items-baseline justify-between gap-x-3",
        ),
        rx.el.p(entry.text, class_name="mt-1 whitespace-pre-wrap [overflow-wrap:anywhere]"),
        rx.cond(entry.quoted != "", quoted),
        file_list(entry.files, entry.small_files, entry.small_words),
        rx.cond(entry.note != "", note),
        key=entry.id,
        # Whose words they are is seen by side and ground, and read in the name.
        class_name=rx.cond(
            entry.is_own,
            f"{look} ml-6 border-transparent bg-sunken sm:ml-12",
            f"{look} mr-6 border-line bg-surface sm:mr-12",
        ),
    )
    return rx.cond(entry.is_line, line, said)


def _ending() -> rx.Component:
    """Let the customer close the case, take that back, and say how it was handled."""
    solve = rx.el.div(
        button(_("This is solved"), variant="secondary", size="small", on_click=CasePage.solve),
        rx.el.span(_("Closes the case. You can open it again by a reply."), class_name="text-small text-quiet"),
        class_name="flex flex-wrap items-center gap-x-4 gap-y-2",
    )
    undo = button(_("Keep it open"), variant="secondary", size="small", on_click=CasePage.undo_solving)
    again = button(_("Try again"), variant="secondary", size="small", on_click=CasePage.try_again(CasePage.solving))
    refused = rx.fragment(status(_("Our system did not close this case."), tone="problem", wraps=True), again)
    closing = rx.el.div(
        rx.cond(CasePage.is_solving_refused, refused, status(_("Being closed"), tone="waiting")),
        rx.cond(CasePage.can_undo_solving, undo),
        class_name="flex flex-wrap items-center gap-3",
    )
    thanks = rx.el.p(_("Thank you for telling us how this went."), class_name="text-quiet")
    rated = rx.match(CasePage.rating, ("possible", _rating()), ("given", thanks), rx.fragment())
    return rx.fragment(
        rx.cond(CasePage.can_solve, solve),
        rx.cond(CasePage.solving != "", closing),
        rated,
    )


def _rating() -> rx.Component:
    grades = choice_group(
        _("How did we handle this?"),
        choice_field(_("Good"), name="grade", value="3"),
        choice_field(_("In between"), name="grade", value="2"),
        choice_field(_("Bad"), name="grade", value="1"),
        name="grade",
        error=error_of(CasePage, "grade"),
        is_row=True,
    )
    return live_form(
        grades,
        text_field(
            _("What should we know? (optional)"), name="words", max_length=250, error=error_of(CasePage, "words")
        ),
        form_actions(button(_("Tell us"), type="submit", variant="secondary")),
        on_submit=CasePage.rate,
        class_name="grid max-w-prose gap-5",
    )


def _papers() -> rx.Component:
    copy = button(
        _("Print this conversation"),
        variant="quiet",
        size="small",
        on_click=[CasePage.show_all, rx.call_function(_PRINT)],
    )
    file = link(
        _("Keep it as a file (JSON)"),
        href=CasePage.copy_href,
        reload=True,
        download=True,
        class_name="link ml-3 text-small",
    )
    return rx.el.div(copy, file, class_name="no-print -ml-3 mt-4 flex flex-wrap items-center gap-y-2")


def _reply() -> rx.Component:
    box = live_form(
        text_area(
            _("Your message"),
            name="text",
            rows="5",
            default_value=CasePage.draft,
            key=CasePage.box,
            on_change=lambda text: CasePage.save_draft(text, CasePage.box).debounce(_SAVE_AFTER_MS),
            hint=_("Leave out passwords, PINs and card numbers: nobody here needs them."),
            error=error_of(CasePage, "text"),
        ),
        room_left(id="text-room", counts="text"),
        draft_note(_("Draft saved"), id="text-saved", saved={"text": CasePage.saved}),
        flash(CasePage.other_draft, tone="attention"),
        file_uploads(CasePage.uploading, error=error_of(CasePage, "uploads")),
        flash(CasePage.secrets_note, tone="attention"),
        form_actions(button(send_words(CasePage.secrets_note), type="submit")),
        on_submit=CasePage.send,
        errors=CasePage.errors,
    )
    rule = rx.cond(CasePage.rule != "", rx.el.p(CasePage.rule, class_name="mb-4 text-quiet"))
    follow = link_button(_("Open a new case"), href=CasePage.follow_href)
    return section(_("Reply"), rule, rx.cond(CasePage.can_reply, rx.fragment(box, reply_form(CasePage)), follow))


def _facts() -> rx.Component:
    facts = definition_list(
        [
            (_("Case number"), CasePage.number),
            (_("Topic"), CasePage.category),
            (_("Opened"), CasePage.opened),
        ]
    )
    about = rx.cond(
        CasePage.about != "",
        rx.el.p(_("About:"), " ", link(CasePage.about, href=CasePage.about_href), class_name="mt-4"),
    )
    return section(_("Details"), facts, about)
