"""What list pages share: filter, search and order above the rows, and the way to more of them below."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.field import select_field, text_field
from portal_app.components.form import live_form
from portal_app.components.link import link
from portal_app.language import _
from portal_app.state.shell.list_state import LONGEST_SEARCH


def list_body(
    state: Any, controls: rx.Component, table: rx.Component, *, none: rx.Component, empty: rx.Component
) -> rx.Component:
    """Show the rows of a `ListState`, `none` where no row matches, or `empty` where there are no rows at all."""
    rows = rx.cond(state.rows.length() > 0, rx.fragment(table, _pages(state)), none)
    return rx.cond(state.has_any, rx.el.div(controls, rows, class_name="grid gap-6"), empty)


def list_controls(
    state: Any, *, filters: list[tuple[str, str]], search: str, orders: list[tuple[str, str]]
) -> rx.Component:
    """Offer filters as links, and a form to search and sort; `search` says what can be searched for."""
    looking = live_form(
        text_field(
            search,
            name="q",
            type="search",
            default_value=state.search,
            max_length=LONGEST_SEARCH,
            key="q" + state.search,
        ),
        select_field(_("Sorted by"), orders, name="sort", default_value=state.sort, key="o" + state.sort),
        button(_("Show"), type="submit", variant="secondary"),
        on_submit=state.look_for,
        role="search",
        class_name="grid grid-cols-[minmax(0,1fr)_auto] items-end gap-4 [&>:first-child]:col-span-2 "
        "sm:grid-cols-[minmax(0,1fr)_12rem_auto] sm:[&>:first-child]:col-span-1",
    )
    return rx.el.div(_filters(state, filters), looking, class_name="grid gap-4")


def _filters(state: Any, filters: list[tuple[str, str]]) -> rx.Component:
    look = "inline-flex min-h-9 items-center rounded px-3 text-small hover:underline pointer-coarse:min-h-11"

    def choice(key: str, words: str) -> rx.Component:
        is_chosen = state.filter == key
        return rx.el.li(
            link(
                words,
                href=state.hrefs[key],
                aria_current=rx.cond(is_chosen, "true", "false"),
                class_name=rx.cond(is_chosen, f"{look} bg-accent-soft font-semibold text-accent", f"{look} text-quiet"),
            )
        )

    return rx.el.nav(
        rx.el.ul(*[choice(*each) for each in filters], class_name="-ml-3 flex flex-wrap gap-1"), aria_label=_("Show")
    )


def _pages(state: Any) -> rx.Component:
    """Lead to the pages before and after; nothing where all fits on one."""
    turn = rx.el.nav(
        rx.cond(state.before != "", link(_("Previous page"), href=state.before), rx.el.span()),
        rx.el.span(state.found_words, class_name="text-quiet tabular-nums"),
        rx.cond(state.after != "", link(_("Next page"), href=state.after), rx.el.span()),
        aria_label=_("Pages"),
        class_name="flex flex-wrap items-baseline justify-between gap-4 text-small",
    )
    return rx.cond(state.found_words != "", turn)
