"""The plain form for a reply with one small file, where sending files in pieces does not work."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.condition import has, when
from portal_app.components.disclosure import disclosure
from portal_app.components.field import checkbox_field, text_area, text_field
from portal_app.components.form import form_actions, native_form
from portal_app.components.message import flash
from portal_app.language import _
from portal_app.pages.shell.address_form import error_of


def reply_form(state: Any) -> rx.Component:
    """Offer the form, folded; the browser itself posts it."""
    confirm = checkbox_field(
        _("Send anyway"), name="confirm_secrets", id="plain-confirm", error=error_of(state, "confirm_secrets")
    )
    form = native_form(
        flash(error_of(state, "form"), tone="problem"),
        text_area(
            _("Text for this file"),
            name="text",
            id="plain-text",
            rows="4",
            default_value=error_of(state, "typed:text"),
            required=True,
        ),
        text_field(
            _("One file"),
            name="file",
            id="plain-file",
            type="file",
            hint=_("At most 2 MB."),
            error=error_of(state, "file"),
        ),
        when(has(error_of(state, "confirm_secrets")), confirm),
        form_actions(button(_("Send message and file"), type="submit")),
        action=state.uploading.form_action,
        enc_type="multipart/form-data",
        hidden={"idempotency_key": state.uploading.form_key},
    )
    return disclosure(
        _("Files do not go through?"),
        rx.el.div(form, class_name="mt-4"),
        open=state.errors.contains("form"),
        class_name="mt-4",
    )
