"""The account's protection: password, two-step sign-in, passkeys, devices."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.card import card
from portal_app.components.credentials import credentials, credentials_call, credentials_problem
from portal_app.components.dialog import dialog, dialog_button, dialog_choice
from portal_app.components.field import code_field, text_field
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.section import page_title, section
from portal_app.components.states import skeleton
from portal_app.components.status import status
from portal_app.components.watcher import when_changed
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.identity.security import SecurityPage

_PASSKEYS = "/api/me/passkeys"
_ROW = "flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3"
_LIST = "divide-y divide-line border-y border-line"


@page("/account/security", title="Security", load=SecurityPage.load)
def security() -> rx.Component:
    body = rx.el.div(
        rx.cond(SecurityPage.codes.length() > 0, _codes()),
        _password(),
        _two_step(),
        _passkeys(),
        _devices(),
        class_name="grid max-w-2xl gap-12",
    )
    title = page_title(
        _("Security"),
        lead=_("How you sign in, and where you are signed in."),
        back=link(_("Account"), href=path_for("/account")),
        actions=link(_("Security history"), href=path_for("/account/security/history")),
    )
    return portal_page(title, page_body(SecurityPage, body, loading=skeleton(8)), active="account")


def _password() -> rx.Component:
    change = link(_("Change password"), href=path_for("/account/password"))
    return section(_("Password"), rx.el.p(change))


def _two_step() -> rx.Component:
    about = rx.el.p(
        _("After your password, signing in asks for a code from an app on your phone."), class_name="text-quiet"
    )
    off = rx.el.div(
        about,
        rx.el.div(button(_("Turn on two-step sign-in"), variant="secondary", on_click=SecurityPage.begin_two_step)),
        class_name="grid gap-4",
    )
    on = rx.el.div(
        rx.el.p(status(_("On"), tone="ok")),
        rx.el.p(SecurityPage.two_step_note, class_name="text-quiet"),
        rx.el.div(
            button(_("New recovery codes"), variant="secondary", size="small", on_click=SecurityPage.renew_codes),
            dialog_button(_("Turn off"), opens="turn-off", variant="quiet", size="small"),
            class_name="flex flex-wrap gap-3",
        ),
        _turn_off(),
        class_name="grid gap-3",
    )
    setting_up = rx.cond(SecurityPage.key != "", _enrolment(), off)
    return section(_("Two-step sign-in"), rx.cond(SecurityPage.two_step_on, on, setting_up))


def _turn_off() -> rx.Component:
    return dialog(
        rx.el.p(
            _("Signing in will ask only for your password. Your recovery codes end, other devices are signed out.")
        ),
        id="turn-off",
        title=_("Turn off two-step sign-in"),
        actions=dialog_choice("turn-off", stay=_("Keep it on"), go=_("Turn it off"), on_go=SecurityPage.turn_off),
    )


def _enrolment() -> rx.Component:
    key = rx.el.p(
        _("Or enter this key by hand:"),
        rx.el.code(SecurityPage.key, class_name="mt-1 block font-mono text-body text-ink [overflow-wrap:anywhere]"),
        class_name="text-small text-quiet",
    )
    # White in both colour schemes: cameras read dark on light.
    picture = rx.el.img(src=SecurityPage.qr, alt=_("QR code with the key"), class_name="w-52 rounded bg-[#fff]")
    form = live_form(
        code_field(_("Code from your app"), required=True, error=SecurityPage.code_error),
        form_actions(
            button(_("Turn it on"), type="submit"), button(_("Cancel"), variant="quiet", on_click=SecurityPage.close)
        ),
        on_submit=SecurityPage.turn_on,
    )
    return rx.el.div(
        rx.el.p(_("Scan this with an authenticator app, then enter the six digits it shows."), class_name="text-quiet"),
        picture,
        key,
        form,
        class_name="grid max-w-sm gap-5",
    )


def _codes() -> rx.Component:
    look = "grid grid-cols-2 gap-x-8 gap-y-1 font-mono tabular-nums"
    rows = rx.el.ol(rx.foreach(SecurityPage.codes, lambda code: rx.el.li(code)), id="recovery-codes", class_name=look)
    actions = rx.el.div(
        button(_("Copy"), variant="secondary", size="small", on_click=credentials("copyText", "recovery-codes")),
        link(_("Download"), href=SecurityPage.codes_file, reload=True, download="recovery-codes.txt"),
        button(_("I have kept them"), size="small", on_click=SecurityPage.close),
        class_name="flex flex-wrap items-center gap-4",
    )
    about = _("Each of these codes signs you in once when your app is lost. They are shown only now: keep them safe.")
    return card(
        rx.el.h2(_("Your recovery codes"), class_name="text-lead font-semibold"),
        rx.el.p(about, class_name="text-quiet"),
        rows,
        actions,
        class_name="grid gap-4",
    )


def _passkeys() -> rx.Component:
    def row(passkey: Any) -> rx.Component:
        words = rx.el.div(
            rx.el.p(passkey.name, class_name="font-medium [overflow-wrap:anywhere]"),
            rx.el.p(passkey.note, class_name="text-small text-quiet"),
            class_name="min-w-0",
        )
        edit = button(
            _("Edit"),
            variant="secondary",
            size="small",
            on_click=SecurityPage.choose(passkey.id),
            aria_label=_("Edit") + " " + passkey.name,
        )
        return rx.el.li(words, edit, class_name=_ROW)

    rows = rx.el.ul(rx.foreach(SecurityPage.passkeys, row), class_name=f"mb-6 {_LIST}")
    add = live_form(
        text_field(
            _("Name of a new passkey"),
            name="name",
            id="passkey-name",
            required=True,
            max_length=60,
            auto_complete="off",
        ),
        form_actions(button(_("Add a passkey"), type="submit", variant="secondary")),
        on_submit=SecurityPage.add_passkey,
        class_name="grid max-w-sm gap-3",
    )
    about = _("Sign in with your fingerprint, face or screen lock instead of a password.")
    return section(
        _("Passkeys"),
        rx.el.p(about, class_name="mb-4 text-quiet"),
        rx.cond(SecurityPage.passkeys.length() > 0, rows),
        add,
        credentials_problem("passkey"),
        when_changed(SecurityPage.adding, credentials_call("addPasskey", _PASSKEYS)),
        rx.el.button(id="passkey-added", type="button", hidden=True, on_click=SecurityPage.passkey_added),
        _chosen(),
    )


def _chosen() -> rx.Component:
    rename = live_form(
        text_field(
            _("Name"),
            name="name",
            id="passkey-rename",
            required=True,
            max_length=60,
            auto_complete="off",
            default_value=SecurityPage.chosen_name,
            error=SecurityPage.name_error,
        ),
        form_actions(button(_("Save the name"), type="submit")),
        on_submit=SecurityPage.rename,
    )
    return dialog(
        rename,
        rx.el.p(_("A removed passkey can no longer sign in, and your other devices are signed out.")),
        id="passkey",
        title=_("Edit this passkey"),
        actions=dialog_choice("passkey", stay=_("Close"), go=_("Remove this passkey"), on_go=SecurityPage.remove),
        question=SecurityPage.question,
    )


def _devices() -> rx.Component:
    def row(device: Any) -> rx.Component:
        words = rx.el.div(
            rx.el.p(device.name, class_name="font-medium"),
            rx.el.p(device.note, class_name="text-small text-quiet"),
            class_name="min-w-0",
        )
        out = button(
            _("Sign out"),
            variant="secondary",
            size="small",
            on_click=SecurityPage.sign_out_device(device.id),
            aria_label=_("Sign out") + ": " + device.name,
        )
        return rx.el.li(words, rx.cond(device.is_current, status(_("This device"), tone="ok"), out), class_name=_ROW)

    everywhere = button(_("Sign out everywhere else"), variant="secondary", on_click=SecurityPage.sign_out_others)
    return section(
        _("Devices"),
        rx.el.ul(rx.foreach(SecurityPage.devices, row), class_name=_LIST),
        rx.cond(SecurityPage.devices.length() > 1, rx.el.div(everywhere, class_name="mt-6")),
    )
