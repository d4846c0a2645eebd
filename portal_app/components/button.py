"""Buttons, and links that look like them."""

from typing import Any, Literal

import reflex as rx

from portal_app.components.condition import Content, Flag, Text, either
from portal_app.components.link import link

Variant = Literal["primary", "secondary", "quiet", "danger"]
Size = Literal["main", "small"]


def button(
    *content: Content,
    variant: Variant = "primary",
    size: Size = "main",
    busy: Flag = False,
    disabled: Flag = False,
    **attributes: Any,
) -> rx.Component:
    """Offer an action, named by what happens. Busy looks pressed and cannot be pressed again.

    It is type="button" unless told otherwise: pass type="submit" inside a form.
    """
    attributes.setdefault("type", "button")
    return rx.el.button(
        *content,
        disabled=either(disabled, busy),
        aria_busy=busy,
        **_look(variant, size, attributes),
    )


def link_button(
    *content: Content,
    href: Text,
    variant: Variant = "primary",
    size: Size = "main",
    reload: bool = False,
    **attributes: Any,
) -> rx.Component:
    """Link to another page as a main action. `reload` as in `link`."""
    return link(*content, href=href, reload=reload, **_look(variant, size, attributes))


def _look(variant: Variant, size: Size, attributes: dict[str, Any]) -> dict[str, Any]:
    extra = attributes.pop("class_name", "")
    data = {"data-variant": variant, "data-size": size} | attributes.pop("custom_attrs", {})
    return attributes | {"class_name": f"button {extra}".strip(), "custom_attrs": data}
