"""The step-up dialog: asks the customer to prove their identity again, on any page."""

import reflex as rx

from portal_app.components.button import button
from portal_app.components.credentials import account_name, credentials, credentials_problem, username_for_password
from portal_app.components.dialog import close_dialog, dialog
from portal_app.components.field import password_field, text_field
from portal_app.components.form import native_form
from portal_app.language import _
from portal_app.state.shell.step_up import StepUp

_CONFIRM = "/api/me/step-up"


def step_up_dialog() -> rx.Component:
    """Ask for a proof of identity, then run the handler that needed it."""
    passkey = button(
        _("Confirm with a passkey"), variant="secondary", on_click=credentials("confirmByPasskey", _CONFIRM)
    )
    return dialog(
        rx.el.p(
            _("It has been a while since you last did. This keeps your account and your money safe."),
            account_name(StepUp.email),
        ),
        rx.cond(StepUp.by_password, _by_password()),
        rx.cond(StepUp.by_code, _by_code()),
        rx.cond(StepUp.by_passkey, passkey),
        rx.el.button(id="step-up-done", type="button", hidden=True, on_click=StepUp.go_on),
        id="step-up",
        title=_("Confirm that it is you"),
        actions=button(_("Cancel"), variant="quiet", on_click=[close_dialog("step-up"), StepUp.give_up]),
        question=StepUp.question,
    )


def _by_password() -> rx.Component:
    field = password_field(_("Password"), id="step-up-password", required=True)
    return _form("password", username_for_password(StepUp.email), field)


def _by_code() -> rx.Component:
    field = text_field(
        _("Code from your app, or a recovery code"),
        name="code",
        id="step-up-code",
        required=True,
        auto_complete="one-time-code",
    )
    return _form("code", field)


def _form(way: str, *fields: rx.Component) -> rx.Component:
    place = f"step-up-by-{way}"
    return native_form(
        *fields,
        credentials_problem("step-up"),
        button(_("Confirm"), type="submit"),
        id=place,
        action=_CONFIRM,
        on_submit=credentials("confirmBy", place),
    )
