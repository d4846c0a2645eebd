"""Changing the address."""

import reflex as rx

from portal_app.components.button import button
from portal_app.components.form import form_actions, live_form
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import page_title
from portal_app.components.states import skeleton
from portal_app.language import _, path_for
from portal_app.pages.shell.address_form import address_fields
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.profile.address import AddressPage


@page("/account/address", title="Address", load=AddressPage.load)
def address() -> rx.Component:
    consequence = message(
        _("Internet plans depend on the building: after a change we check again what is available at your address."),
        title=_("Moving house?"),
    )
    form = live_form(
        *address_fields(AddressPage),
        form_actions(
            button(_("Save address"), type="submit"), link(_("Back without saving"), href=path_for("/account"))
        ),
        on_submit=AddressPage.save_address,
    )
    body = rx.el.div(_present(), consequence, form, class_name="grid max-w-2xl gap-8")
    title = page_title(_("Address"), back=link(_("Account"), href=path_for("/account")))
    return portal_page(title, page_body(AddressPage, body, loading=skeleton(8)), active="account")


def _present() -> rx.Component:
    lines = rx.foreach(AddressPage.lines, lambda line: rx.el.span(line, class_name="block"))
    return rx.el.div(
        rx.el.p(
            rx.cond(AddressPage.is_romanised, _("Your address as it stands on your bill"), _("Your address now")),
            class_name="text-small text-quiet",
        ),
        rx.el.address(lines, class_name="not-italic"),
        class_name="grid gap-1",
    )
