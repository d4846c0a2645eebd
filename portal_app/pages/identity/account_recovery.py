"""Account recovery: the link for a new password, the new password, lifting a lock."""

import reflex as rx

from portal_app.components.account_fields import email_field, new_password_field
from portal_app.components.button import button
from portal_app.components.form import form_actions, native_form, token_from_link
from portal_app.components.frame import auth_frame
from portal_app.components.link import link
from portal_app.components.message import flash
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import reload_when_lost
from portal_app.pages.shell.page import page
from portal_app.state.identity.account_recovery import ForgotPage, SetPasswordPage, UnlockPage


@page("/auth/forgot", title="Forgot your password?", load=ForgotPage.load, is_public=True)
def forgot() -> rx.Component:
    form = native_form(
        email_field(ForgotPage.email, auto_complete="username", error=ForgotPage.error),
        form_actions(button(_("Send the link"), type="submit")),
        action="/api/auth/forgot",
    )
    return auth_frame(
        reload_when_lost(),
        flash(ForgotPage.notice, tone="problem"),
        flash(ForgotPage.done, tone="ok"),
        form,
        title=_("Forgot your password?"),
        lead=_("We mail you a link that lets you choose a new one."),
        below=rx.el.p(_("Remembered it?"), " ", link(_("Sign in"), href=path_for("/auth/login"))),
    )


@page("/auth/set-password", title="New password", load=SetPasswordPage.load, is_public=True)
def set_password() -> rx.Component:
    form = native_form(
        token_from_link(SetPasswordPage.email),
        new_password_field(_("New password"), error=SetPasswordPage.error),
        form_actions(button(_("Set the password"), type="submit")),
        action="/api/auth/set-password",
    )
    moving = _("Step 4 of 4. From now on you sign in here with this password. Your services and bills stay.")
    forgotten = _("Setting it signs you out everywhere. A second step stays as you set it up.")
    return auth_frame(
        reload_when_lost(),
        flash(SetPasswordPage.notice, tone="problem"),
        form,
        title=_("New password"),
        lead=rx.cond(SetPasswordPage.is_migration, moving, forgotten),
    )


@page("/auth/unlock", title="Try again", load=UnlockPage.load, is_public=True)
def unlock() -> rx.Component:
    form = native_form(
        token_from_link(),
        form_actions(button(_("Let me try again here"), type="submit")),
        action="/api/auth/unlock",
    )
    return auth_frame(
        reload_when_lost(),
        form,
        title=_("Try again"),
        lead=_("Your account rests after too many wrong passwords. You can go on in this browser right away."),
        below=rx.el.p(_("Do not know the password?"), " ", link(_("Set a new one"), href=path_for("/auth/forgot"))),
    )
