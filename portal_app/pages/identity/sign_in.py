"""Signing in."""

import reflex as rx

from portal_app.components.account_fields import email_field, passkey_button
from portal_app.components.button import button
from portal_app.components.field import password_field
from portal_app.components.form import form_actions, native_form
from portal_app.components.frame import auth_frame
from portal_app.components.link import link
from portal_app.components.message import flash
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import reload_when_lost
from portal_app.pages.shell.page import page
from portal_app.state.identity.sign_in import SignInPage


@page("/auth/login", title="Sign in", load=SignInPage.load, is_public=True)
def sign_in() -> rx.Component:
    form = native_form(
        email_field(SignInPage.email, auto_complete="username"),
        password_field(_("Password"), auto_complete="current-password", required=True),
        form_actions(
            button(_("Sign in"), type="submit"),
            rx.el.span(link(_("Forgot your password?"), href=path_for("/auth/forgot")), class_name="text-small"),
        ),
        action="/api/auth/login",
        hidden={"next": SignInPage.next_path},
    )
    return auth_frame(
        reload_when_lost(),
        flash(SignInPage.notice, tone="problem"),
        flash(SignInPage.done, tone="ok"),
        form,
        passkey_button("/api/auth/passkey/options", "/api/auth/passkey"),
        title=_("Sign in"),
        below=rx.el.div(
            rx.el.p(_("New here?"), " ", link(_("Create account"), href=path_for("/auth/signup"))),
            rx.el.p(
                _("A customer, but no account here?"), " ", link(_("Move it here"), href=path_for("/auth/migrate"))
            ),
            class_name="grid gap-1",
        ),
    )
