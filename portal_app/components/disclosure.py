"""What is folded away until somebody asks for it."""

from typing import Any

import reflex as rx

from portal_app.components.condition import Text


def disclosure(words: Text, *children: rx.Component, **attributes: Any) -> rx.Component:
    """Fold the children behind some words, with a mark that shows that they open."""
    extra = attributes.pop("class_name", "")
    return rx.el.details(rx.el.summary(words), *children, class_name=f"disclosure {extra}".strip(), **attributes)
