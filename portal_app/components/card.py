"""Boxes, for the few groups that need a border."""

from typing import Any

import reflex as rx


def card(*children: rx.Component, **attributes: Any) -> rx.Component:
    """Return a bordered box; prefer a section with a hairline where that is enough."""
    extra = attributes.pop("class_name", "")
    return rx.el.div(
        *children, class_name=f"rounded border border-line bg-surface p-5 sm:p-6 {extra}".strip(), **attributes
    )
