"""A status: always a word, a shape and a colour together."""

from typing import Literal

import reflex as rx

from portal_app.components.condition import Text

Tone = Literal["ok", "waiting", "attention", "problem", "neutral"]


def status(word: Text, *, tone: Tone | rx.Var[str], wraps: bool = False) -> rx.Component:
    """Show a status. The tone may be a var: the stylesheet picks shape and colour. A whole sentence `wraps`."""
    data = {"data-tone": tone} | ({"data-wraps": ""} if wraps else {})
    return rx.el.span(shape(), rx.el.span(word) if wraps else word, custom_attrs=data, class_name="status")


def shape(extra: str = "") -> rx.Component:
    """Draw the shape of the tone set on the parent element."""
    return rx.el.span(aria_hidden="true", class_name=f"shape {extra}".strip())
