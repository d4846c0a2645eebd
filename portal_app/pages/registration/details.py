"""The last step of signing up: name, phone number and address."""

from functools import partial

import reflex as rx

from portal_app.components.account_fields import new_password_field
from portal_app.components.button import button
from portal_app.components.credentials import username_for_password
from portal_app.components.field import checkbox_field
from portal_app.components.form import form_actions, native_form
from portal_app.components.frame import auth_frame
from portal_app.components.message import flash
from portal_app.components.states import skeleton
from portal_app.language import _
from portal_app.pages.shell.address_form import address_fields, entry_field, error_of, group, person_fields
from portal_app.pages.shell.frame import reload_when_lost
from portal_app.pages.shell.page import page
from portal_app.state.registration.details import DetailsPage


@page("/auth/details", title="Your details", load=DetailsPage.load, is_public=True)
def details() -> rx.Component:
    form = native_form(
        username_for_password(DetailsPage.email),
        group(_("You"), *person_fields(partial(entry_field, DetailsPage))),
        group(_("Address"), *address_fields(DetailsPage)),
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


def _password() -> rx.Component:
    return group(
        _("Password"),
        new_password_field(_("Password"), error=error_of(DetailsPage, "password")),
        checkbox_field(
            _("I agree to the terms of service and to being billed at this address."),
            name="terms",
            required=True,
            error=error_of(DetailsPage, "terms"),
        ),
    )
