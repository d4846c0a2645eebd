"""Form fields: label above, hint and error beside, wired for screen readers and password managers."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from portal_app.components.condition import Content, Text, has, when
from portal_app.components.icon import icon
from portal_app.language import _


def text_field(label: Content, *, name: str, hint: Text = "", error: Text = "", **attributes: Any) -> rx.Component:
    """Ask for one line of text; attributes (type, value, on_change, auto_complete...) go to the input."""
    control = rx.el.input(**_control(name, hint, error, {"type": "text"} | attributes))
    return _framed(label, control, name=_id(name, attributes), hint=hint, error=error)


def text_area(label: Content, *, name: str, hint: Text = "", error: Text = "", **attributes: Any) -> rx.Component:
    """Ask for several lines of text."""
    control = rx.el.textarea(**_control(name, hint, error, {"rows": "5"} | attributes))
    return _framed(label, control, name=_id(name, attributes), hint=hint, error=error)


def password_field(
    label: Content, *, name: str = "password", hint: Text = "", error: Text = "", **attributes: Any
) -> rx.Component:
    """Ask for a password, with a button that shows it. `auto_complete`: current-password or new-password."""
    defaults = {"type": "password", "auto_complete": "current-password", "spell_check": False}
    attributes = defaults | attributes
    box = rx.el.div(
        rx.el.input(**_control(name, hint, error, attributes, extra="pr-12")),
        _show_password(_id(name, attributes)),
        class_name="relative",
    )
    return _framed(label, box, name=_id(name, attributes), hint=hint, error=error)


def code_field(
    label: Content, *, name: str = "code", hint: Text = "", error: Text = "", **attributes: Any
) -> rx.Component:
    """Ask for six digits; phones offer the code from a message or an authenticator.

    The server reads them, spaces and full-width digits too: the field neither cuts nor refuses what is pasted.
    """
    digits = {
        "type": "text",
        "input_mode": "numeric",
        "auto_complete": "one-time-code",
        "custom_attrs": {"data-kind": "code"},
    }
    return text_field(label, name=name, hint=hint, error=error, **(digits | attributes))


def select_field(
    label: Content,
    options: Sequence[tuple[str, str]] | rx.Var,
    *,
    name: str,
    hint: Text = "",
    error: Text = "",
    **attributes: Any,
) -> rx.Component:
    """Ask for one of a few: options are (value, words) pairs, or a list var of such pairs."""
    choices = (
        [rx.foreach(options, lambda pair: rx.el.option(pair[1], value=pair[0]))]
        if isinstance(options, rx.Var)
        else [rx.el.option(words, value=value) for value, words in options]
    )
    control = rx.el.select(*choices, **_control(name, hint, error, attributes))
    return _framed(label, control, name=_id(name, attributes), hint=hint, error=error)


def checkbox_field(label: Content, *, name: str, hint: Text = "", error: Text = "", **attributes: Any) -> rx.Component:
    """Ask for a yes; without it nothing is sent under the name."""
    place = _id(name, attributes)
    box = rx.el.input(
        **_control(name, hint, error, {"type": "checkbox"} | attributes)
        | {"class_name": "size-6 shrink-0 accent-accent"}
    )
    words = rx.el.label(label, html_for=place, class_name="min-w-0")
    return rx.el.div(
        rx.el.div(box, words, class_name="flex items-start gap-3"),
        *_notes(place, hint, error),
        class_name="grid gap-1",
    )


def choice_field(
    title: Content, *, name: str, value: Text, detail: Content = "", aside: Content = "", **attributes: Any
) -> rx.Component:
    """Offer one of several large radio choices; put them into `choice_group`."""
    radio = rx.el.input(type="radio", name=name, value=value, class_name="size-6 accent-accent", **attributes)
    words = rx.el.span(
        rx.el.span(title, class_name="block font-medium"),
        rx.el.span(detail, class_name="block text-small text-quiet"),
        class_name="min-w-0 flex-1",
    )
    return rx.el.label(
        radio, words, rx.el.span(aside, class_name="shrink-0 tabular-nums"), class_name="choice flex gap-3 p-4"
    )


def choice_detail(*fields: rx.Component) -> rx.Component:
    """Put right after a choice the fields that are asked only with it; what was typed there stays when it changes."""
    return rx.el.div(*fields, class_name="choice-detail gap-5 border-l-2 border-line py-2 pl-4")


def choice_group(
    legend: Content, *choices: rx.Component, error: Text = "", name: str = "choice", is_row: bool = False
) -> rx.Component:
    """Group choices under their question, short ones in a row where there is room."""
    look = "grid gap-3 sm:grid-flow-col sm:auto-cols-fr" if is_row else "grid gap-3"
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="mb-2 font-medium"),
        rx.el.div(*choices, class_name=look),
        *_notes(name, "", error),
        class_name="min-w-0",
    )


def _show_password(field_id: str) -> rx.Component:
    toggle = rx.Var(
        f"(() => {{ const i = document.getElementById('{field_id}'), b = document.getElementById('{field_id}-show'); "
        "const shown = i.type === 'password'; i.type = shown ? 'text' : 'password'; "
        "b.setAttribute('aria-pressed', shown); })"
    )
    return rx.el.button(
        rx.el.span(icon("eye-off")),
        rx.el.span(icon("eye")),
        id=f"{field_id}-show",
        type="button",
        on_click=rx.call_function(toggle),
        aria_label=_("Show password"),
        aria_pressed="false",
        class_name="show-password absolute inset-y-0 right-0 grid w-11 place-items-center rounded text-quiet",
    )


def _id(name: str, attributes: dict[str, Any]) -> str:
    return str(attributes.get("id", name))


def _control(name: str, hint: Text, error: Text, attributes: dict[str, Any], extra: str = "") -> dict[str, Any]:
    place = _id(name, attributes)
    described = [f"{place}-{note}" for note, text in (("hint", hint), ("error", error)) if _may_show(text)]
    wiring: dict[str, Any] = {"name": name, "id": place, "class_name": f"field {extra}".strip()}
    if described:
        wiring["aria_describedby"] = " ".join(described)
    if _may_show(error):
        wiring["aria_invalid"] = has(error)
    return attributes | wiring


def _framed(label: Content, control: rx.Component, *, name: str, hint: Text, error: Text) -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="text-small font-medium"),
        control,
        *_notes(name, hint, error),
        class_name="grid min-w-0 content-start gap-1.5",
    )


def _notes(place: str, hint: Text, error: Text) -> list[rx.Component]:
    notes = []
    if _may_show(hint):
        notes.append(rx.el.p(hint, id=f"{place}-hint", class_name="text-small text-quiet"))
    if _may_show(error):
        wrong = rx.el.p(
            rx.el.span(aria_hidden="true", class_name="shape mt-1.5"),
            rx.el.span(error),
            custom_attrs={"data-tone": "problem"},
            class_name="flex gap-2 text-small text-problem",
        )
        notes.append(rx.el.div(when(has(error), wrong), id=f"{place}-error", aria_live="polite"))
    return notes


def _may_show(text: Text) -> bool:
    return isinstance(text, rx.Var) or bool(text)
