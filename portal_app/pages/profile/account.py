"""The customer's account: personal data, e-mail address, address, language and news."""

from typing import Any

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.definition import definition_list
from portal_app.components.field import checkbox_field, code_field, select_field, text_field
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.message import flash
from portal_app.components.section import page_title, section
from portal_app.components.states import skeleton
from portal_app.components.status import status
from portal_app.language import _, path_for
from portal_app.pages.shell.address_form import entry_field, error_of, person_fields
from portal_app.pages.shell.frame import page_body, portal_page, support_link
from portal_app.pages.shell.page import page
from portal_app.state.profile.account import AccountPage


@page("/account", title="Account", load=AccountPage.load)
def account() -> rx.Component:
    body = rx.el.div(
        flash(AccountPage.note, tone=AccountPage.note_tone),
        section(_("You"), _person()),
        section(_("E-mail"), _email(), aside=link(_("Change password"), href=path_for("/account/password"))),
        section(
            _("Security"),
            link(_("Password, two-step sign-in, passkeys and devices"), href=path_for("/account/security")),
        ),
        section(_("Identity check"), _identity(), aside=link(_("See it"), href=path_for("/account/verification"))),
        section(
            _("Notification settings"),
            link(_("What we tell you, and your due dates in a calendar"), href=path_for("/account/notifications")),
        ),
        section(_("Address"), _address()),
        section(_("Language and news"), _wishes()),
        section(
            _("Support"),
            rx.el.p(_("Questions about your account? Write to us:"), " ", support_link(AccountPage.support)),
        ),
        class_name="grid max-w-2xl gap-12",
    )
    title = page_title(
        _("Account"), lead=rx.cond(AccountPage.shown, rx.el.p(_("Customer number"), " ", AccountPage.customer_number))
    )
    return portal_page(title, page_body(AccountPage, body, loading=skeleton(8)), active="account")


def _person() -> rx.Component:
    return live_form(
        *person_fields(_entry),
        form_actions(button(_("Save"), type="submit")),
        on_submit=AccountPage.save_person,
    )


def _email() -> rx.Component:
    ask = live_form(
        text_field(
            _("New e-mail address"),
            name="email",
            type="email",
            auto_complete="email",
            required=True,
            error=error_of(AccountPage, "email"),
            hint=_("We send a six-digit code there, and tell the old address."),
        ),
        form_actions(button(_("Send the code"), type="submit", variant="secondary")),
        on_submit=AccountPage.begin_email_change,
    )
    prove = rx.el.div(
        live_form(
            rx.el.p(_("We sent a code to this address:"), " ", rx.el.strong(AccountPage.new_email)),
            code_field(_("Code"), required=True, error=error_of(AccountPage, "code")),
            form_actions(
                button(_("Change the address"), type="submit"),
                button(_("Keep the old address"), variant="quiet", on_click=AccountPage.give_up_email),
            ),
            on_submit=AccountPage.prove_email,
        )
    )
    return rx.el.div(
        definition_list([(_("You sign in with"), AccountPage.email)]),
        rx.cond(AccountPage.new_email != "", prove, ask),
        class_name="grid gap-5",
    )


def _identity() -> rx.Component:
    why = rx.el.p(AccountPage.identity_story, class_name="mt-2 text-quiet")
    return rx.el.div(status(AccountPage.identity_word, tone=AccountPage.identity_tone), why)


def _address() -> rx.Component:
    lines = rx.el.address(
        rx.foreach(AccountPage.address, lambda line: rx.el.span(line, class_name="block")), class_name="not-italic"
    )
    change = link_button(_("Change address"), href=path_for("/account/address"), variant="secondary")
    return rx.el.div(lines, rx.el.div(change), class_name="grid gap-4")


def _wishes() -> rx.Component:
    return live_form(
        select_field(
            _("Language of our mails"),
            [("en", "English"), ("ja", "日本語")],
            name="language",
            error=error_of(AccountPage, "language"),
            default_value=AccountPage.language,
            key="language-" + AccountPage.form_version.to_string(),
        ),
        checkbox_field(
            _("Send me news and offers by e-mail."),
            name="marketing",
            default_checked=AccountPage.marketing,
            key="marketing-" + AccountPage.form_version.to_string(),
        ),
        form_actions(button(_("Save"), type="submit", variant="secondary")),
        on_submit=AccountPage.save_wishes,
    )


def _entry(label: str, name: str, **attributes: Any) -> rx.Component:
    key = f"{name}-" + AccountPage.form_version.to_string()
    return entry_field(AccountPage, label, name, key=key, **attributes)
