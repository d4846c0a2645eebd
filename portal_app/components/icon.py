"""Small line icons: decoration beside a word, so hidden from screen readers."""

import reflex as rx


def icon(name: str, *, size: int = 18) -> rx.Component:
    """Draw a lucide icon. The name is plain text: a var would pull in the whole icon library."""
    return rx.icon(name, size=size, stroke_width=1.75, aria_hidden="true", class_name="shrink-0")
