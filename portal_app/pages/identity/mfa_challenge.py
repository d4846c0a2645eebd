"""The second step of signing in."""

import reflex as rx

from portal_app.components.account_fields import passkey_button
from portal_app.components.button import button
from portal_app.components.field import code_field, text_field
from portal_app.components.form import form_actions, native_form
from portal_app.components.frame import auth_frame
from portal_app.components.link import link
from portal_app.components.message import flash
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import reload_when_lost
from portal_app.pages.shell.page import page
from portal_app.state.identity.mfa_challenge import SecondStepPage

_STEP = "/api/auth/second-step"


@page("/auth/second-step", title="Second step", load=SecondStepPage.load, is_public=True)
def second_step() -> rx.Component:
    onward = {"next": SecondStepPage.next_path}
    code = native_form(
        code_field(_("Code from your app"), required=True, auto_focus=True),
        form_actions(button(_("Sign in"), type="submit")),
        action=_STEP,
        hidden=onward,
    )
    recovery = native_form(
        text_field(_("Recovery code"), name="code", id="recovery", required=True, auto_complete="off"),
        form_actions(button(_("Use this code"), type="submit", variant="secondary")),
        action=_STEP,
        hidden=onward,
        class_name="mt-4 grid gap-5",
    )
    return auth_frame(
        reload_when_lost(),
        flash(SecondStepPage.notice, tone="problem"),
        flash(SecondStepPage.error, tone="problem"),
        code,
        rx.cond(SecondStepPage.by_passkey, passkey_button(f"{_STEP}/passkey-options", _STEP)),
        rx.el.details(
            rx.el.summary(_("Your app is not at hand?"), class_name="link cursor-pointer py-1 text-small"), recovery
        ),
        title=_("Second step"),
        lead=_("Enter the six digits that your authenticator app shows now."),
        below=link(_("Start again with another account"), href=path_for("/auth/login"), reload=True),
    )
