"""Placeholders in a public page that the server fills with current data for each request."""

import reflex as rx

from portal_app.components.condition import Content


def slot(name: str, *children: Content) -> rx.Component:
    """Mark a part that the server repeats once per row of that name: never, once, or many times."""
    return rx.fragment(_mark("begin", name), *children, _mark("end", name))


def place(name: str) -> str:
    """Return the text that the server replaces with the row's value of that name."""
    return f"[[{name}]]"


def _mark(edge: str, name: str) -> rx.Component:
    return rx.el.span(custom_attrs={"data-slot": f"{edge} {name}"})
