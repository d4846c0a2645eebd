"""Amounts as a customer reads them: the figure in large, tax and period in small."""

from dataclasses import dataclass
from typing import Literal

import reflex as rx

from portal_app.components.condition import Text, has, when

PriceSize = Literal["large", "plain"]


@dataclass(frozen=True, slots=True)
class Price:
    """A formatted amount, the same with tax in words ("¥6,578 with tax"), and its period ("a month")."""

    amount: Text
    with_tax: Text = ""
    period: Text = ""


def price_line(price: Price, *, size: PriceSize = "plain") -> rx.Component:
    """Show an amount and its period on one line, the tax-inclusive amount under it."""
    figure = "text-title font-semibold tracking-tight" if size == "large" else "font-medium"
    return rx.el.div(
        rx.el.p(
            rx.el.span(price.amount, class_name=f"{figure} tabular-nums"),
            when(has(price.period), rx.el.span(price.period, class_name="ml-1.5 text-small text-quiet")),
        ),
        when(has(price.with_tax), rx.el.p(price.with_tax, class_name="text-small text-quiet tabular-nums")),
    )


def figure(amount: Text, *, caption: Text = "") -> rx.Component:
    """Show the one number a page is about."""
    return rx.el.div(
        rx.el.p(amount, class_name="text-figure font-semibold tracking-tight tabular-nums"),
        when(has(caption), rx.el.p(caption, class_name="mt-1 text-quiet")),
    )
