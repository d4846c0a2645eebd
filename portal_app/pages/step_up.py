"""The dialog that asks anew who it is, on whichever page needs it."""

import reflex as rx

from portal_app.components.button import button
from portal_app.components.credentials import credentials
from portal_app.components.dialog import dialog, open_dialog
from portal_app.components.field import password_field
from portal_app.components.form import form_actions, native_form
from portal_app.language import _
from portal_app.state.step_up import StepUp

_CONFIRM = "/api/me/step-up"


def step_up_dialog() -> rx.Component:
    """Ask for a proof, then let the page go on with what the customer wanted."""
    asked = dialog(
        rx.el.p(_("You are about to change something that protects your account.")),
        rx.cond(StepUp.by_password, _by_password()),
        rx.el.p(id="step-up-problem", role="alert", class_name="text-small text-problem empty:hidden"),
        rx.el.button(id="step-up-done", type="button", hidden=True, on_click=StepUp.go_on),
        id="step-up",
        title=_("Confirm that it is you"),
        on_mount=open_dialog("step-up"),
        key=StepUp.asked,
    )
    return rx.cond(StepUp.asked > 0, asked)


def _by_password() -> rx.Component:
    return native_form(
        password_field(_("Password"), id="step-up-password", required=True),
        _actions(),
        id="step-up-by-password",
        action=_CONFIRM,
        on_submit=credentials("confirmBy", "step-up-by-password"),
    )


def _actions() -> rx.Component:
    return form_actions(
        button(_("Confirm"), type="submit"),
        button(_("Cancel"), variant="quiet", on_click=StepUp.give_up),
    )
