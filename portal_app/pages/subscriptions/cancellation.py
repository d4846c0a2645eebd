"""Cancelling a service: consequences, reason, and two confirmations."""

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.definition import definition_list
from portal_app.components.dialog import dialog, dialog_choice
from portal_app.components.field import checkbox_field, select_field, text_area
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.section import page_title, section
from portal_app.components.states import empty_state, skeleton
from portal_app.language import _, path_for
from portal_app.pages.shell.address_form import error_of
from portal_app.pages.shell.frame import page_body, portal_page, support_link
from portal_app.pages.shell.page import page
from portal_app.state.subscriptions.cancellation import CancelPage

_DIALOG = "cancel-service"


@page("/subscriptions/[service_id]/cancel", title="Cancel a service", load=CancelPage.load)
def cancel_service() -> rx.Component:
    ask = rx.el.div(_meaning(), _form(), class_name="grid max-w-2xl gap-10")
    other = rx.cond(CancelPage.ends_already, _ends_already(), _not_here())
    body = rx.fragment(
        page_title(
            _("Cancel this service"), lead=CancelPage.name, back=link(_("Back to the service"), href=CancelPage.back)
        ),
        rx.cond(CancelPage.can_cancel, ask, other),
        _second_question(),
    )
    back = link(_("All services"), href=path_for("/subscriptions"))
    loading = rx.el.div(page_title(_("Cancel this service"), back=back), skeleton(6), class_name="grid gap-10")
    return portal_page(rx.fragment(), page_body(CancelPage, body, loading=loading), active="services")


def _meaning() -> rx.Component:
    days = definition_list(
        [
            (_("Last day"), rx.el.span(CancelPage.last_day, class_name="font-semibold")),
            (_("Can be withdrawn until"), rx.el.span(CancelPage.until, " ", _("(end of the day in Japan)"))),
        ]
    )
    what = rx.el.ul(
        rx.foreach(CancelPage.consequences, lambda text: rx.el.li(text)), class_name="mt-5 grid list-disc gap-2 pl-5"
    )
    return section(_("What ends"), days, what)


def _form() -> rx.Component:
    form = live_form(
        select_field(
            _("Why do you cancel?"),
            CancelPage.reasons,
            name="reason",
            error=error_of(CancelPage, "reason"),
            required=True,
        ),
        text_area(
            _("Anything we should know? (optional)"),
            name="comment",
            rows="3",
            max_length=500,
            error=error_of(CancelPage, "comment"),
        ),
        checkbox_field(
            _("I know what ends, and that it is final once it can no longer be withdrawn."),
            name="understood",
            error=error_of(CancelPage, "understood"),
        ),
        form_actions(
            button(_("Go on"), type="submit", variant="danger"),
            link_button(_("Keep the service"), href=CancelPage.back, variant="quiet"),
        ),
        on_submit=CancelPage.review,
    )
    return section(_("Your cancellation"), form)


def _second_question() -> rx.Component:
    return dialog(
        rx.el.p(CancelPage.name, class_name="font-medium text-ink"),
        rx.el.p(_("Its last day is"), " ", rx.el.strong(CancelPage.last_day)),
        rx.el.p(
            _("You can withdraw this until the end of"),
            " ",
            rx.el.strong(CancelPage.until, class_name="whitespace-nowrap"),
        ),
        id=_DIALOG,
        title=_("Cancel this service?"),
        actions=dialog_choice(_DIALOG, stay=_("Keep it"), go=_("Cancel this service"), on_go=CancelPage.cancel),
        question=CancelPage.question,
    )


def _ends_already() -> rx.Component:
    return empty_state(
        _("This service is cancelled already"),
        text=_("Its page says when it ends, and until when that can be withdrawn."),
        action=link_button(_("See the service"), href=CancelPage.back, variant="secondary"),
    )


def _not_here() -> rx.Component:
    return empty_state(
        _("This service cannot be cancelled here"),
        text=_("It is not active, or it was paid once and for all. Write to us about it."),
        action=support_link(CancelPage.support),
    )
