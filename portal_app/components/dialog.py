"""Dialogs: the browser's own, opened and closed by handlers compiled into the page."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from portal_app.components.button import Size, Variant, button
from portal_app.components.condition import Content, Text
from portal_app.components.watcher import when_changed

# An opened dialog is empty of what was typed or told in it before.
_OPEN = """
  if (d && !d.open) {
    d.querySelectorAll('form').forEach((form) => form.reset());
    d.querySelectorAll('[id$="-problem"]').forEach((problem) => { problem.textContent = ''; });
    d.showModal();
  }"""


def dialog(
    *children: rx.Component,
    id: str,
    title: Text,
    actions: rx.Component | None = None,
    question: rx.Var[str] | None = None,
    **attributes: Any,
) -> rx.Component:
    """Ask in a window of its own. Name the consequence in the title; Escape and a click beside it close it.

    `question` is a token of the page's state: a new one opens the dialog, an empty one closes it. The one that is there
    when the page opens was asked before and opens nothing, so the dialog stands outside of any condition on it.
    """
    return rx.el.dialog(
        rx.el.h2(title, id=f"{id}-title", class_name="text-lead font-semibold"),
        rx.el.div(*children, class_name="mt-2 grid gap-4 text-quiet"),
        rx.el.div(actions, class_name="mt-6 flex flex-col-reverse gap-3 sm:flex-row sm:justify-end") if actions else "",
        rx.fragment() if question is None else when_changed(question, _asked(id)),
        id=id,
        aria_labelledby=f"{id}-title",
        custom_attrs={"closedby": "any"},
        class_name="dialog",
        **attributes,
    )


def open_dialog(id: str) -> EventSpec:
    """Return the handler that opens a dialog, for any on_click."""
    return rx.call_function(rx.Var(f"(() => {{ const d = document.getElementById('{id}'); {_OPEN} }})"))


def close_dialog(id: str) -> EventSpec:
    """Return the handler that closes a dialog; put it after the action in a list of handlers."""
    return rx.call_function(rx.Var(f"(() => document.getElementById('{id}').close())"))


def dialog_choice(id: str, *, stay: Text, go: Text, on_go: Any, variant: Variant = "danger") -> rx.Component:
    """Offer to leave everything as it is, or to go on with what the dialog asks; both close it."""
    return rx.fragment(
        button(stay, variant="quiet", on_click=close_dialog(id)),
        button(go, variant=variant, on_click=[close_dialog(id), on_go]),
    )


def dialog_button(*content: Content, opens: str, variant: Variant = "secondary", size: Size = "main") -> rx.Component:
    """Open a dialog."""
    return button(*content, variant=variant, size=size, on_click=open_dialog(opens), aria_haspopup="dialog")


def _asked(id: str) -> str:
    return (
        f"((question) => {{ const d = document.getElementById('{id}'); "
        f"if (!question) {{ d?.close(); return; }} {_OPEN} }})"
    )
