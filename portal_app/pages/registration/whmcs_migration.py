"""Migration from WHMCS: the e-mail address of an existing customer, and the password of their billing account."""

import reflex as rx

from portal_app.components.account_fields import email_field
from portal_app.components.button import button
from portal_app.components.credentials import account_name, username_for_password
from portal_app.components.field import password_field
from portal_app.components.form import form_actions, native_form
from portal_app.components.frame import auth_frame
from portal_app.components.link import link
from portal_app.components.message import flash
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import reload_when_lost, support_link
from portal_app.pages.shell.page import page
from portal_app.state.registration.whmcs_migration import BillingPasswordPage, MovePage


@page("/auth/migrate", title="I am already a customer", load=MovePage.load, is_public=True)
def migrate() -> rx.Component:
    form = native_form(
        email_field(MovePage.email, error=MovePage.error, hint=_("The address your bills go to.")),
        form_actions(button(_("Send the code"), type="submit")),
        action="/api/auth/migrate",
    )
    return auth_frame(
        reload_when_lost(),
        flash(MovePage.notice, tone="problem"),
        form,
        title=_("I am already a customer"),
        lead=_("Step 1 of 4. You get an account here for the services and bills you already have."),
        below=rx.el.div(
            rx.el.p(_("New here?"), " ", link(_("Create account"), href=path_for("/auth/signup"))),
            rx.el.p(_("Have an account here?"), " ", link(_("Sign in"), href=path_for("/auth/login"))),
            rx.el.p(_("Stuck? Write to us:"), " ", support_link(MovePage.support)),
            class_name="grid gap-1",
        ),
    )


@page("/auth/billing-password", title="Billing password", load=BillingPasswordPage.load, is_public=True)
def billing_password() -> rx.Component:
    form = native_form(
        username_for_password(BillingPasswordPage.email),
        password_field(
            _("Password of your billing account"),
            auto_complete="current-password",
            required=True,
            error=BillingPasswordPage.error,
        ),
        form_actions(button(_("Continue"), type="submit")),
        action="/api/auth/migrate/password",
    )
    return auth_frame(
        reload_when_lost(),
        flash(BillingPasswordPage.notice, tone="attention"),
        form,
        title=_("You are our customer already"),
        lead=rx.el.p(
            _("Step 3 of 4. Enter the password with which you have signed in to the billing area so far."),
            account_name(BillingPasswordPage.email),
        ),
        below=rx.el.div(
            rx.el.p(_("Forgot it?"), " ", link(_("Reset it in the billing area"), href=BillingPasswordPage.reset_link)),
            rx.el.p(_("Wrong address?"), " ", link(_("Change it"), href=path_for("/auth/migrate"))),
            rx.el.p(_("Stuck? Write to us:"), " ", support_link(BillingPasswordPage.support)),
            class_name="grid gap-1",
        ),
    )
