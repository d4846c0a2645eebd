"""Fields that several pages of signing in and signing up ask for."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.condition import Text
from portal_app.components.credentials import credentials, credentials_problem
from portal_app.components.field import password_field, text_field
from portal_app.language import _


def email_field(typed: rx.Var[str], *, auto_complete: str = "email", **attributes: Any) -> rx.Component:
    """Ask for the e-mail address of an account; `typed` is what the last try brought."""
    return text_field(
        _("E-mail"),
        name="email",
        type="email",
        auto_complete=auto_complete,
        required=True,
        default_value=typed,
        key=typed,
        **attributes,
    )


def new_password_field(label: Text, *, error: Text) -> rx.Component:
    """Ask for a password to set."""
    return password_field(
        label,
        auto_complete="new-password",
        required=True,
        min_length=12,
        hint=_("At least 12 characters; a few words are easy to remember."),
        error=error,
    )


def passkey_button(options: str, action: str) -> rx.Component:
    """Offer a passkey in place of what the form asks for."""
    return rx.el.div(
        button(_("Use a passkey instead"), variant="secondary", on_click=credentials("signInBy", options, action)),
        credentials_problem("passkey"),
        class_name="grid gap-3",
    )
