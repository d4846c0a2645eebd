"""Messages to the customer: in the flow of the page, never floating over it."""

from typing import Literal

import reflex as rx

from portal_app.components.condition import Content, Text, has, when
from portal_app.components.status import shape

MessageTone = Literal["info", "ok", "attention", "problem"]


def message(
    text: Content, *, tone: MessageTone | rx.Var[str] = "info", title: Text = "", action: Content = ""
) -> rx.Component:
    """Say what happened and what to do. A problem interrupts a screen reader, other tones do not."""
    return rx.el.div(
        shape(),
        rx.el.div(
            when(has(title), rx.el.p(title, class_name="font-semibold")),
            rx.el.p(text),
            rx.el.div(action, class_name="mt-2 empty:hidden"),
            class_name="min-w-0 flex-1",
        ),
        role=when(tone == "problem", "alert", "status"),
        custom_attrs={"data-tone": tone},
        class_name="message flex gap-3 px-4 py-3",
    )


def flash(text: Text, *, tone: MessageTone | rx.Var[str] = "info") -> rx.Component:
    """Show a message while there is a text, nothing otherwise."""
    return when(has(text), message(text, tone=tone))
