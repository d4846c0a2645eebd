"""The parts of a page: its title, its sections and its columns."""

import reflex as rx

from portal_app.components.condition import Content, Text, has, when


def page_title(title: Content, *, lead: Content = "", actions: Content = "", back: Content = "") -> rx.Component:
    """Open a page: the only h1, a line that answers the first question, the main actions."""
    return rx.el.header(
        rx.el.div(back, class_name="text-small empty:hidden"),
        rx.el.div(
            rx.el.div(
                rx.el.h1(title, class_name="text-title font-semibold tracking-tight"),
                rx.el.div(lead, class_name="mt-1 text-quiet empty:hidden"),
                class_name="min-w-0",
            ),
            rx.el.div(actions, class_name="flex flex-wrap gap-3 empty:hidden"),
            class_name="flex flex-wrap items-end justify-between gap-x-6 gap-y-4",
        ),
        class_name="grid gap-2",
    )


def section(title: Text, *children: rx.Component, aside: Content = "") -> rx.Component:
    """Group what answers one question under its heading; `aside` is a link or note beside the heading."""
    return rx.el.section(
        rx.el.div(
            when(has(title), rx.el.h2(title, class_name="text-lead font-semibold tracking-tight")),
            rx.el.div(aside, class_name="text-small empty:hidden"),
            class_name="mb-4 flex items-baseline justify-between gap-4",
        ),
        *children,
    )


def columns(main: rx.Component, side: rx.Component) -> rx.Component:
    """Set a wide and a narrow part side by side on wide screens, under each other elsewhere."""
    return rx.el.div(
        rx.el.div(main, class_name="grid min-w-0 content-start gap-10"),
        rx.el.div(side, class_name="grid min-w-0 content-start gap-8"),
        class_name="grid gap-10 lg:grid-cols-[minmax(0,1fr)_20rem] lg:gap-14",
    )
