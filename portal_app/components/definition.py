"""Labels with their values: the lines of a statement."""

from collections.abc import Sequence

import reflex as rx

from portal_app.components.condition import Content, Text


def definition_list(pairs: Sequence[tuple[Text, Content]]) -> rx.Component:
    """Set labels left and values right, a hairline between; the values may be components."""
    return rx.el.dl(
        *[definition(label, value) for label, value in pairs], class_name="divide-y divide-line border-y border-line"
    )


def total_line(label: Text, value: Content) -> rx.Component:
    """Set the sum under a list of amounts."""
    return rx.el.p(
        rx.el.span(label, class_name="font-semibold"),
        rx.el.span(value, class_name="text-lead font-semibold tabular-nums"),
        class_name="flex items-baseline justify-between gap-4 pt-3",
    )


def definition(label: Text, value: Content) -> rx.Component:
    """Return one line of a definition list."""
    return rx.el.div(
        rx.el.dt(label, class_name="text-quiet"),
        rx.el.dd(value, class_name="min-w-0 text-right tabular-nums [overflow-wrap:anywhere]"),
        class_name="flex items-baseline justify-between gap-6 py-2.5",
    )
