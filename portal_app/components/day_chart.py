"""A chart of days as native SVG that reads without colour, with a table of the same figures behind it."""

from typing import Any

import reflex as rx

from portal_app.components.condition import Text, each
from portal_app.components.disclosure import disclosure
from portal_app.components.table import Column, data_table
from portal_app.language import _

_HATCH = "day-hatch"


def day_chart(bars: Any, *, width: Any, title: Text, highest: Text, today: Text) -> rx.Component:
    """Show one bar a day: used solid, today hatched, an unknown day as a question mark and not as nothing.

    A bar has x, y, height (of 100), kind (used, today, unknown), label and amount.
    """
    picture = rx.el.svg(
        rx.el.svg.title(title),
        rx.el.defs(
            rx.el.svg.pattern(
                rx.el.path(d="M0 4 4 0", stroke="currentColor", stroke_width="1"),
                id=_HATCH,
                width="4",
                height="4",
                pattern_units="userSpaceOnUse",
            )
        ),
        *each(bars, _bar),
        role="img",
        view_box=rx.Var.create("0 -2 ").to(str) + width.to_string() + " 104",
        preserve_aspect_ratio="none",
        class_name="block h-32 w-full text-accent",
    )
    figures = data_table(
        bars,
        columns=[Column(_("Day"), lambda bar: bar.label), Column(_("Used"), lambda bar: bar.amount, align="end")],
        caption=title,
    )
    return rx.el.figure(
        rx.el.div(picture, class_name="overflow-x-auto border-b border-line"),
        rx.el.figcaption(
            rx.el.span(highest),
            rx.el.span(today, class_name="text-right"),
            class_name="mt-2 flex justify-between gap-4 text-small text-quiet",
        ),
        disclosure(_("All days as a table"), figures, class_name="mt-1"),
    )


def _bar(bar: Any) -> rx.Component:
    unknown = rx.el.text("?", x=bar.x + 2, y="98", font_size="9", fill="currentColor")
    known = rx.el.rect(
        x=bar.x + 1,
        y=bar.y,
        width="8",
        height=bar.height,
        fill=rx.cond(bar.kind == "today", f"url(#{_HATCH})", "currentColor"),
        stroke="currentColor",
        stroke_width=rx.cond(bar.kind == "today", "1", "0"),
    )
    return rx.cond(bar.kind == "unknown", unknown, known)
