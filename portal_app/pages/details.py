"""The last step of signing up: who and where."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.field import checkbox_field, password_field, select_field, text_field
from portal_app.components.form import form_actions, native_form
from portal_app.components.frame import auth_frame
from portal_app.components.message import flash
from portal_app.components.states import skeleton
from portal_app.language import _, spoken
from portal_app.pages.frame import reload_when_lost
from portal_app.pages.page import page
from portal_app.state.details import PREFECTURES, DetailsPage


@page("/auth/details", title="Your details", load=DetailsPage.load, is_public=True)
def details() -> rx.Component:
    """Lay the page out."""
    form = native_form(
        _person(),
        _address(),
        _password(),
        form_actions(button(_("Create account"), type="submit")),
        action="/api/auth/signup/complete",
        class_name="grid gap-10",
    )
    return auth_frame(
        reload_when_lost(),
        flash(DetailsPage.notice, tone="problem"),
        flash(DetailsPage.problem, tone="problem"),
        rx.cond(DetailsPage.shown, form, skeleton(8)),
        title=_("Your details"),
        lead=_("Step 3 of 3. We need your full address in Japan to bill you and to deliver."),
    )


def _person() -> rx.Component:
    return _group(
        _("You"),
        _pair(
            _entry(_("First name"), "first_name", auto_complete="given-name", required=True),
            _entry(_("Last name"), "last_name", auto_complete="family-name", required=True),
        ),
        _pair(
            _entry(_("First name in katakana (optional)"), "first_name_kana", lang="ja"),
            _entry(_("Last name in katakana (optional)"), "last_name_kana", lang="ja"),
        ),
        _entry(_("Phone"), "phone", type="tel", auto_complete="tel", required=True, hint=_("Such as 090-1234-5678")),
    )


def _address() -> rx.Component:
    towns = select_field(_("Your town"), DetailsPage.towns, name="town_choice", on_change=DetailsPage.choose_town)
    return _group(
        _("Address"),
        text_field(
            _("Postcode"),
            name="postcode",
            hint=_("Seven digits; we fill in the rest."),
            error=rx.cond(DetailsPage.postcode_problem != "", DetailsPage.postcode_problem, _error("postcode")),
            default_value=DetailsPage.entries.postcode,
            auto_complete="postal-code",
            input_mode="numeric",
            required=True,
            on_change=DetailsPage.look_up_postcode.debounce(300),
        ),
        rx.el.p(DetailsPage.postcode_note, role="status", class_name="text-small text-quiet empty:hidden"),
        rx.cond(DetailsPage.towns.length() > 0, towns),
        _prefecture(),
        _pair(
            _filled(_("City or ward"), "city", auto_complete="address-level2"),
            _filled(_("Town"), "town", auto_complete="address-level3"),
        ),
        _entry(
            _("Block and house number"),
            "street",
            auto_complete="address-line1",
            required=True,
            hint=_("Such as 1-5-12"),
        ),
        _entry(_("Building and room (optional)"), "building", auto_complete="address-line2"),
        rx.el.p(_("The same in Latin letters, as it stands on your bill:"), class_name="pt-2 text-small text-quiet"),
        _pair(
            _filled(_("City or ward in Latin letters"), "city_romanised"),
            _filled(_("Town in Latin letters"), "town_romanised"),
        ),
        _entry(_("Building and room in Latin letters (optional)"), "building_romanised"),
    )


def _prefecture() -> rx.Component:
    names = [(name, name if spoken() == "ja" else f"{latin} {name}") for name, latin in PREFECTURES.items()]
    return select_field(
        _("Prefecture"),
        [("", _("Choose")), *names],
        name="prefecture",
        auto_complete="address-level1",
        required=True,
        error=_error("prefecture"),
        **_fresh("prefecture"),
    )


def _password() -> rx.Component:
    return _group(
        _("Password"),
        password_field(
            _("Password"),
            auto_complete="new-password",
            required=True,
            min_length=12,
            hint=_("At least 12 characters; a few words are easy to remember."),
            error=_error("password"),
        ),
        checkbox_field(
            _("I agree to the terms of service and to being billed at this address."),
            name="terms",
            required=True,
            error=_error("terms"),
        ),
    )


def _group(legend: str, *fields: rx.Component) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="mb-4 text-lead font-semibold"),
        rx.el.div(*fields, class_name="grid gap-5"),
        class_name="min-w-0",
    )


def _pair(first: rx.Component, second: rx.Component) -> rx.Component:
    return rx.el.div(first, second, class_name="grid gap-5 sm:grid-cols-2")


def _entry(label: str, name: str, *, hint: str = "", **attributes: Any) -> rx.Component:
    value = getattr(DetailsPage.entries, name)
    return text_field(label, name=name, hint=hint, error=_error(name), default_value=value, **attributes)


def _filled(label: str, name: str, **attributes: Any) -> rx.Component:
    return text_field(label, name=name, error=_error(name), required=True, **_fresh(name), **attributes)


def _fresh(name: str) -> dict[str, Any]:
    """The field is made anew when a postcode has filled it; typed text stays otherwise."""
    return {"default_value": getattr(DetailsPage.place, name), "key": f"{name}-" + DetailsPage.filled.to_string()}


def _error(name: str) -> rx.Var[str]:
    return rx.cond(DetailsPage.errors.contains(name), DetailsPage.errors[name], "")
