"""Asking for a file: a native field, posted by the browser itself."""

import reflex as rx

from portal_app.components.condition import Content, Text
from portal_app.components.field import text_field


def file_field(label: Content, *, name: str, accept: str, hint: Text = "", error: Text = "") -> rx.Component:
    """Ask for one file; `accept` is what the chooser offers. Put it into a native form with enc_type."""
    return text_field(label, name=name, type="file", accept=accept, hint=hint, error=error, required=True)
