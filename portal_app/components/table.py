"""Tables on wide screens that become labelled rows on phones, from the same markup."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import reflex as rx

from portal_app.components.condition import Content, Text, each
from portal_app.components.link import link


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, how a row shows in it, and where it lines up ("end" for amounts).

    `is_short` keeps its texts on one line where there is room; `is_wide_only` leaves the column out on phones.
    """

    heading: str
    cell: Callable[[Any], Content]
    align: Literal["start", "end"] = "start"
    is_short: bool = False
    is_wide_only: bool = False


def data_table(rows: Sequence[Any] | rx.Var, *, columns: Sequence[Column], caption: Text) -> rx.Component:
    """Show rows under headings. The first column names the row: give it a `row_link`.

    The caption is read by screen readers only. Two columns stay a table on phones. Roles are spelled out because
    phones lay the rows out as blocks.
    """
    return rx.el.table(
        rx.el.caption(caption, class_name="sr-only"),
        rx.el.thead(rx.el.tr(*[_heading(column) for column in columns], role="row"), role="rowgroup"),
        rx.el.tbody(*each(rows, lambda row: _row(row, columns)), role="rowgroup"),
        role="table",
        custom_attrs={"data-stacks": ""} if len(columns) > 2 else {},
        class_name="table",
    )


def row_link(text: Text, *, href: Text) -> rx.Component:
    """Link a row to its page."""
    return link(text, href=href, class_name="link py-1 font-medium")


def _heading(column: Column) -> rx.Component:
    return rx.el.th(column.heading, scope="col", role="columnheader", custom_attrs={"data-align": column.align})


def _row(row: Any, columns: Sequence[Column]) -> rx.Component:
    return rx.el.tr(*[_cell(row, column) for column in columns], role="row")


def _cell(row: Any, column: Column) -> rx.Component:
    place = {"data-label": column.heading, "data-align": column.align}
    place |= {"data-short": ""} if column.is_short else {}
    place |= {"data-wide": ""} if column.is_wide_only else {}
    return rx.el.td(column.cell(row), role="cell", custom_attrs=place)
