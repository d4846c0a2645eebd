"""A plan as it is sold: name, what it costs each month and once, what it includes, one action."""

from collections.abc import Sequence

import reflex as rx

from portal_app.components.condition import Content, Text, each
from portal_app.components.icon import icon
from portal_app.components.money import Price, price_line

_CARD = "row-span-4 grid content-start gap-y-5 rounded border border-line bg-surface p-6 sm:grid-rows-subgrid"


def plan_card(
    name: Text, *, monthly: Price, one_time: Content = "", details: Content = "", action: Content = ""
) -> rx.Component:
    """Show one plan; in a `plan_grid` the actions of all plans stand on one line.

    `one_time` is usually `one_time_note(price)`, `details` a `check_list`, `action` a link button.
    """
    return rx.el.li(
        rx.el.h2(name, class_name="text-lead font-semibold"),
        rx.el.div(price_line(monthly, size="large"), rx.el.div(one_time, class_name="mt-3 text-small text-quiet")),
        rx.el.div(details, class_name="border-t border-line pt-4 text-small"),
        rx.el.div(action, class_name="mt-auto grid"),
        class_name=_CARD,
    )


def plan_grid(*plans: rx.Component) -> rx.Component:
    """Set plans side by side, under each other on a phone. Takes plan cards or one rx.foreach of them."""
    return rx.el.ul(*plans, class_name="grid gap-4 sm:grid-cols-[repeat(auto-fill,minmax(16rem,1fr))] sm:gap-5")


def one_time_note(label: Text, price: Price) -> rx.Component:
    """Say what is paid once, on one line: label, amount, amount with tax."""
    return rx.el.p(label, " ", rx.el.span(price.amount, class_name="tabular-nums text-ink"), " ", price.with_tax)


def check_list(lines: Sequence[str] | rx.Var) -> rx.Component:
    """List what is included, one line each."""
    return rx.el.ul(
        *each(lines, lambda line: rx.el.li(_tick(), rx.el.span(line), class_name="flex gap-2.5")),
        class_name="grid gap-2",
    )


def _tick() -> rx.Component:
    return rx.el.span(icon("check", size=16), class_name="mt-0.5 text-accent")
