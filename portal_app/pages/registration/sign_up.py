"""The first two steps of signing up: the e-mail address and its code."""

import reflex as rx

from portal_app.components.account_fields import email_field
from portal_app.components.button import button
from portal_app.components.credentials import account_name
from portal_app.components.field import code_field
from portal_app.components.form import form_actions, native_form
from portal_app.components.frame import auth_frame
from portal_app.components.link import link
from portal_app.components.message import flash
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import reload_when_lost
from portal_app.pages.shell.page import page
from portal_app.state.registration.sign_up import SignUpPage, VerifyPage


@page("/auth/signup", title="Create account", load=SignUpPage.load, is_public=True)
def sign_up() -> rx.Component:
    form = native_form(
        email_field(SignUpPage.email, error=SignUpPage.error),
        form_actions(button(_("Send the code"), type="submit")),
        action="/api/auth/signup",
    )
    return auth_frame(
        reload_when_lost(),
        flash(SignUpPage.notice, tone="problem"),
        form,
        title=_("Create account"),
        lead=_("Step 1 of 3. We send a six-digit code to this address to make sure it is yours."),
        below=rx.el.div(
            rx.el.p(_("Have an account here?"), " ", link(_("Sign in"), href=path_for("/auth/login"))),
            rx.el.p(
                _("A customer, but no account here?"), " ", link(_("Move it here"), href=path_for("/auth/migrate"))
            ),
            class_name="grid gap-1",
        ),
    )


@page("/auth/verify", title="Enter the code", load=VerifyPage.load, is_public=True)
def verify() -> rx.Component:
    form = native_form(
        code_field(
            _("Code"),
            required=True,
            error=VerifyPage.error,
            hint=rx.cond(VerifyPage.error == "", VerifyPage.tries_left, ""),
        ),
        form_actions(button(_("Continue"), type="submit")),
        action="/api/auth/signup/verify",
    )
    again = native_form(
        rx.el.div(button(_("Send a new code"), type="submit", variant="secondary", size="small")),
        action="/api/auth/signup/resend",
    )
    return auth_frame(
        reload_when_lost(),
        flash(VerifyPage.notice, tone="problem"),
        rx.cond(VerifyPage.has_tries, form),
        again,
        title=_("Enter the code"),
        lead=rx.el.p(
            rx.cond(
                VerifyPage.is_migration,
                _("Step 2 of 4. We sent six digits to your address. The mail usually arrives within a minute."),
                _("Step 2 of 3. We sent six digits to your address. The mail usually arrives within a minute."),
            ),
            account_name(VerifyPage.email),
        ),
        below=rx.el.p(_("Wrong address?"), " ", link(_("Change it"), href=VerifyPage.begin_path)),
    )
