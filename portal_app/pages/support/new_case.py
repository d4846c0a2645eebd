"""A new support case."""

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.field import checkbox_field, select_field, text_area, text_field
from portal_app.components.file_uploads import file_uploads
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import page_title
from portal_app.language import _, path_for
from portal_app.pages.help.suggestions import suggesting, suggestions
from portal_app.pages.shell.address_form import error_of
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.pages.status.incidents import incident_notices
from portal_app.state.support.new_case import NewCasePage


@page("/support/new", title="Ask a question", load=NewCasePage.load)
def new_case() -> rx.Component:
    """Lay the page out."""
    back = link(_("All cases"), href=path_for("/support/cases"))
    title = page_title(_("Ask a question"), lead=_("Our team answers here and tells you by mail."), back=back)
    same = message(
        rx.fragment(
            _("You have an open case about this:"), " ", link(NewCasePage.same_subject, href=NewCasePage.same_href)
        ),
        title=_("Did you ask this already?"),
    )
    body = rx.el.div(
        incident_notices(), rx.cond(NewCasePage.same_href != "", same), _form(), class_name="grid max-w-2xl gap-8"
    )
    return portal_page(title, page_body(NewCasePage, body), active="support")


def _form() -> rx.Component:
    context = rx.cond(
        NewCasePage.about != "",
        checkbox_field(
            rx.fragment(
                _("Tell our team that this is about:"), " ", link(NewCasePage.about, href=NewCasePage.about_href)
            ),
            name="with_context",
            default_checked=True,
        ),
    )
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
            error=error_of(NewCasePage, "subject"),
            on_change=suggesting(),
        ),
        suggestions(),
        text_area(
            _("Your question"),
            name="text",
            rows="8",
            hint=_("Leave out passwords, PINs and card numbers: nobody here needs them."),
            error=error_of(NewCasePage, "text"),
        ),
        file_uploads(NewCasePage.uploading, error=error_of(NewCasePage, "uploads")),
        context,
        form_actions(
            button(_("Send"), type="submit"),
            link_button(_("Cancel"), href=path_for("/support/cases"), variant="quiet"),
        ),
        on_submit=NewCasePage.open_case,
    )
