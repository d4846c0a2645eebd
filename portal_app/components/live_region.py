"""Announces visible changes to screen readers."""

import reflex as rx

from portal_app.components.condition import Text


def live_region(text: Text) -> rx.Component:
    """Announce the text whenever it changes."""
    return rx.el.p(text, role="status", class_name="sr-only")
