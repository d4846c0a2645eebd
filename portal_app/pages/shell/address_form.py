"""The fields of an address, filled in from its postcode, in both scripts."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from portal_app.components.field import select_field, text_field
from portal_app.language import _, spoken
from portal_app.state.profile.postcode_form import PREFECTURES


def address_fields(state: Any) -> list[rx.Component]:
    """Return the fields for a page's state: a PostcodeForm with `entries`, `errors` and its two handlers."""
    return [
        text_field(
            _("Postcode"),
            name="postcode",
            hint=_("Seven digits; we fill in the rest."),
            error=rx.cond(state.postcode_problem != "", state.postcode_problem, error_of(state, "postcode")),
            default_value=state.entries.postcode,
            auto_complete="postal-code",
            input_mode="numeric",
            required=True,
            on_change=state.look_up_postcode.debounce(300),
        ),
        rx.el.p(state.postcode_note, role="status", class_name="text-small text-quiet empty:hidden"),
        _towns(state),
        _prefecture(state),
        pair(
            _filled(state, _("City or ward"), "city", auto_complete="address-level2"),
            _filled(state, _("Town"), "town", auto_complete="address-level3"),
        ),
        entry_field(
            state,
            _("Block and house number"),
            "street",
            auto_complete="address-line1",
            required=True,
            hint=_("Such as 1-5-12"),
        ),
        entry_field(state, _("Building and room (optional)"), "building", auto_complete="address-line2"),
        rx.el.p(_("The same in Latin letters, as it stands on your bill:"), class_name="pt-2 text-small text-quiet"),
        pair(
            _filled(state, _("City or ward in Latin letters"), "city_romanised"),
            _filled(state, _("Town in Latin letters"), "town_romanised"),
        ),
        rx.cond(
            (state.entries.street_romanised != "") | state.errors.contains("street_romanised"),
            entry_field(
                state, _("Block and house number in Latin letters"), "street_romanised", hint=_("Such as 1-5-12")
            ),
        ),
        entry_field(
            state,
            _("Building and room in Latin letters"),
            "building_romanised",
            hint=_("Needed where you live in a building with rooms"),
        ),
    ]


def person_fields(entry: Callable[..., rx.Component]) -> list[rx.Component]:
    """Return the fields for a customer's name and phone number; `entry` asks for one entry of a page's form."""
    return [
        _names(
            entry(_("First name"), "first_name", auto_complete="given-name", required=True),
            entry(_("Last name"), "last_name", auto_complete="family-name", required=True),
        ),
        _names(
            entry(_("First name in katakana (optional)"), "first_name_kana", lang="ja"),
            entry(_("Last name in katakana (optional)"), "last_name_kana", lang="ja"),
        ),
        entry(_("Phone"), "phone", type="tel", auto_complete="tel", required=True, hint=_("Such as 090-1234-5678")),
    ]


def group(legend: str, *fields: rx.Component) -> rx.Component:
    """Group fields under a legend."""
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="mb-4 text-lead font-semibold"),
        rx.el.div(*fields, class_name="grid gap-5"),
        class_name="min-w-0",
    )


def entry_field(state: Any, label: str, name: str, *, hint: str = "", **attributes: Any) -> rx.Component:
    """Ask for one of the `entries` of a page's state."""
    value = getattr(state.entries, name)
    return text_field(label, name=name, hint=hint, error=error_of(state, name), default_value=value, **attributes)


def _names(given: rx.Component, family: rx.Component) -> rx.Component:
    """Set the two parts of a name side by side, in the order of the language."""
    return pair(family, given) if spoken() == "ja" else pair(given, family)


def pair(first: rx.Component, second: rx.Component) -> rx.Component:
    """Set two fields side by side where there is room."""
    return rx.el.div(first, second, class_name="grid gap-5 sm:grid-cols-2")


def error_of(state: Any, name: str) -> rx.Var[str]:
    """Return what is wrong with a field, or an empty text."""
    return rx.cond(state.errors.contains(name), state.errors[name], "")


def _towns(state: Any) -> rx.Component:
    choice = select_field(_("Your town"), state.towns, name="town_choice", on_change=state.choose_town)
    return rx.cond(state.towns.length() > 0, choice)


def _prefecture(state: Any) -> rx.Component:
    names = [(name, name if spoken() == "ja" else f"{latin} {name}") for name, latin in PREFECTURES.items()]
    return select_field(
        _("Prefecture"),
        [("", _("Choose")), *names],
        name="prefecture",
        auto_complete="address-level1",
        required=True,
        error=error_of(state, "prefecture"),
        **_fresh(state, "prefecture"),
    )


def _filled(state: Any, label: str, name: str, **attributes: Any) -> rx.Component:
    return text_field(label, name=name, error=error_of(state, name), required=True, **_fresh(state, name), **attributes)


def _fresh(state: Any, name: str) -> dict[str, Any]:
    """Let React replace the field when a postcode has filled it; typed text stays otherwise."""
    return {"default_value": getattr(state.place, name), "key": f"{name}-" + state.filled.to_string()}
