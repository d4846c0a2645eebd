"""Boxes, for the few things that must be seen as one."""

from typing import Any

import reflex as rx


def card(*children: rx.Component, **attributes: Any) -> rx.Component:
    """Hold together what belongs together; prefer a section with a hairline where that is enough."""
    extra = attributes.pop("class_name", "")
    return rx.el.div(
        *children, class_name=f"rounded border border-line bg-surface p-5 sm:p-6 {extra}".strip(), **attributes
    )
