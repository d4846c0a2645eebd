"""What a list or card shows instead of fresh data: loading, empty, a problem, the age of saved data."""

import reflex as rx

from portal_app.components.condition import Content, Text
from portal_app.components.message import message
from portal_app.language import _

_WIDTHS = ("w-3/4", "w-full", "w-5/6", "w-2/3")


def skeleton(lines: int = 3) -> rx.Component:
    """Return a placeholder of so many lines while data load."""
    bars = [rx.el.div(class_name=f"skeleton h-4 {_WIDTHS[i % len(_WIDTHS)]}") for i in range(lines)]
    return rx.el.div(rx.el.span(_("Loading"), class_name="sr-only"), *bars, role="status", class_name="grid gap-4 py-2")


def table_skeleton(rows: int = 5) -> rx.Component:
    """Return a placeholder of so many table rows while data load."""
    row = rx.el.div(
        rx.el.div(class_name="skeleton h-4 w-32"),
        rx.el.div(class_name="skeleton h-4 w-20"),
        class_name="flex justify-between border-b border-line py-4",
    )
    return rx.el.div(rx.el.span(_("Loading"), class_name="sr-only"), *[row] * rows, role="status")


def empty_state(title: Text, *, text: Text, action: Content = "") -> rx.Component:
    """Say what would be here and offer the first step."""
    return rx.el.div(
        rx.el.p(title, class_name="font-semibold"),
        rx.el.p(text, class_name="mt-1 max-w-prose text-quiet"),
        rx.el.div(action, class_name="mt-4 empty:hidden"),
        class_name="border-y border-line py-8",
    )


def problem_state(title: Text, *, text: Text, action: Content = "") -> rx.Component:
    """Say what cannot be shown, until when, and what to do."""
    return message(text, tone="problem", title=title, action=action)


def saved_data_note(text: Text) -> rx.Component:
    """Say that the data is not fresh and how old it is ("Saved data from 10:42")."""
    return rx.el.p(
        rx.el.span(aria_hidden="true", class_name="shape mt-1.5"),
        rx.el.span(text),
        role="status",
        custom_attrs={"data-tone": "waiting"},
        class_name="flex gap-2 text-small text-quiet",
    )
