"""Changing the password, and signing out everywhere."""

import reflex as rx

from portal_app.components.account_fields import new_password_field
from portal_app.components.button import button
from portal_app.components.credentials import username_for_password
from portal_app.components.field import password_field
from portal_app.components.form import form_actions, native_form
from portal_app.components.link import link
from portal_app.components.message import flash
from portal_app.components.section import page_title, section
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.identity.password import PasswordPage


@page("/account/password", title="Change password", load=PasswordPage.load)
def password() -> rx.Component:
    everywhere = native_form(
        rx.el.p(_("This ends every session of yours, this one too."), class_name="text-quiet"),
        rx.el.div(button(_("Sign out everywhere"), type="submit", variant="secondary", size="small")),
        action="/api/auth/logout-everywhere",
        class_name="grid gap-3",
    )
    body = rx.el.div(
        flash(PasswordPage.notice, tone="problem"),
        flash(PasswordPage.done, tone="ok"),
        rx.cond(PasswordPage.must_confirm, _confirm_first(), change_password_form()),
        section(_("Signed in on a device you no longer have?"), everywhere),
        class_name="grid max-w-md gap-10",
    )
    back = link(_("Account"), href=path_for("/account"))
    return portal_page(page_title(_("Change password"), back=back), page_body(PasswordPage, body), active="account")


def change_password_form() -> rx.Component:
    """Ask for the present password and a new one."""
    return native_form(
        username_for_password(PasswordPage.email),
        password_field(
            _("Present password"),
            name="present",
            auto_complete="current-password",
            required=True,
            error=PasswordPage.present_error,
        ),
        new_password_field(_("New password"), error=PasswordPage.password_error),
        form_actions(button(_("Change password"), type="submit")),
        action="/api/me/password",
        hidden={"idempotency_key": PasswordPage.form_key},
    )


def _confirm_first() -> rx.Component:
    return rx.el.div(
        rx.el.p(_("Two-step sign-in is on, so your password alone does not change it."), class_name="text-quiet"),
        form_actions(button(_("Confirm that it is you"), on_click=PasswordPage.confirm)),
        class_name="grid gap-3",
    )
