"""The portal's name and mark: light over the horizon."""

import reflex as rx

PRODUCT = "Hikari Portal"


def wordmark() -> rx.Component:
    """Draw the mark beside the name, in the colour of the accent."""
    mark = rx.el.svg(
        rx.el.path(d="M4.5 14a7.5 7.5 0 0 1 15 0z", fill="currentColor"),
        rx.el.path(d="M2.5 18.5h19", stroke="currentColor", stroke_width="2", stroke_linecap="round"),
        view_box="0 0 24 24",
        aria_hidden="true",
        class_name="size-6 text-accent",
    )
    return rx.el.span(mark, PRODUCT, class_name="inline-flex items-center gap-2 font-semibold tracking-tight")
