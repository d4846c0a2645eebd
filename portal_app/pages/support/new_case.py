"""A new support case."""

from typing import Any

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.byte_counter import byte_counter
from portal_app.components.condition import when
from portal_app.components.draft_note import draft_note
from portal_app.components.field import checkbox_field, select_field, text_area, text_field
from portal_app.components.file_uploads import file_uploads
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.message import flash, message
from portal_app.components.section import page_title
from portal_app.language import _, path_for
from portal_app.pages.help.suggestions import suggesting, suggestions
from portal_app.pages.shell.address_form import error_of
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.pages.status.incidents import incident_notices
from portal_app.state.support.new_case import NewCasePage
from portal_app.state.support.words import MOST_BYTES, PART_BYTES

_SAVE_AFTER_MS = 700


@page("/support/new", title="Ask a question", load=NewCasePage.load)
def new_case() -> rx.Component:
    """Lay the page out."""
    back = link(_("All cases"), href=path_for("/support/cases"))
    title = page_title(_("Ask a question"), lead=_("Our team answers here and tells you by mail."), back=back)
    same = message(
        rx.fragment(NewCasePage.same_words, " ", link(NewCasePage.same_subject, href=NewCasePage.same_href)),
        title=_("Did you ask this already?"),
    )
    body = rx.el.div(
        incident_notices(), rx.cond(NewCasePage.same_href != "", same), _form(), class_name="grid max-w-2xl gap-8"
    )
    return portal_page(title, page_body(NewCasePage, body), active="support")


def send_words(secrets_note: Any) -> rx.Component:
    """Return the words of a button that sends a text, or sends it all the same after the question about secrets."""
    return rx.fragment(when(secrets_note == "", _("Send"), _("Send anyway")))


def room_left(*, id: str, counts: str) -> rx.Component:
    """Say how much room a message has left."""
    return byte_counter(
        id=id,
        counts=counts,
        part=PART_BYTES,
        most=MOST_BYTES,
        parts=_("Long message: it is sent in {count} parts."),
        over=_("Too long for one message. Send it as two."),
    )


def _form() -> rx.Component:
    return live_form(
        select_field(
            _("Topic"),
            NewCasePage.categories,
            name="category",
            default_value=NewCasePage.category,
            key="c" + NewCasePage.category,
            error=error_of(NewCasePage, "category"),
        ),
        text_field(
            _("Subject"),
            name="subject",
            max_length=120,
            default_value=NewCasePage.subject,
            key=f"s{NewCasePage.box}",
            # Of two events of a change, the pause of the last one holds for both.
            on_change=[NewCasePage.save_subject.debounce(_SAVE_AFTER_MS), suggesting()],
            error=error_of(NewCasePage, "subject"),
        ),
        suggestions(),
        text_area(
            _("Your question"),
            name="text",
            rows="8",
            default_value=NewCasePage.text,
            key=f"t{NewCasePage.box}",
            on_change=NewCasePage.save_text.debounce(_SAVE_AFTER_MS),
            hint=_("At most 10,000 characters. Leave out passwords, PINs and card numbers: nobody here needs them."),
            error=error_of(NewCasePage, "text"),
        ),
        draft_note(
            _("Draft saved"),
            id="case-saved",
            saved={"subject": NewCasePage.saved_subject, "text": NewCasePage.saved_text},
        ),
        flash(NewCasePage.other_draft, tone="attention"),
        file_uploads(NewCasePage.uploading, error=error_of(NewCasePage, "uploads")),
        rx.cond(NewCasePage.about != "", _context()),
        flash(NewCasePage.secrets_note, tone="attention"),
        form_actions(
            button(send_words(NewCasePage.secrets_note), type="submit"),
            link_button(_("Cancel"), href=path_for("/support/cases"), variant="quiet"),
        ),
        on_submit=NewCasePage.open_case,
        errors=NewCasePage.errors,
    )


def _context() -> rx.Component:
    """Show the facts that go along, with a tick to leave them out."""

    def fact(row: Any) -> rx.Component:
        return rx.el.div(
            rx.el.dt(row.label, class_name="text-quiet"),
            rx.el.dd(row.value, class_name="min-w-0 text-right tabular-nums [overflow-wrap:anywhere]"),
            class_name="flex items-baseline justify-between gap-6 py-1.5",
        )

    facts = rx.el.dl(rx.foreach(NewCasePage.facts, fact), class_name="divide-y divide-line text-small")
    tick = checkbox_field(
        rx.fragment(_("Send this along:"), " ", link(NewCasePage.about, href=NewCasePage.about_href)),
        name="with_context",
        default_checked=True,
    )
    return rx.el.div(tick, facts, class_name="grid gap-3 border-l-2 border-line pl-4")
