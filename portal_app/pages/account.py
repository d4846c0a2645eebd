"""The customer's account."""

import reflex as rx

from portal_app.components.definition import definition_list
from portal_app.components.link import link
from portal_app.components.section import page_title, section
from portal_app.language import _, path_for
from portal_app.pages.frame import faces, portal_page, support_link
from portal_app.pages.page import page
from portal_app.state.account import AccountPage


@page("/account", title="Account", load=AccountPage.load)
def account() -> rx.Component:
    """Lay the page out."""
    facts = definition_list(
        [
            (_("Name"), AccountPage.name),
            (_("E-mail"), AccountPage.email),
            (_("Customer number"), AccountPage.customer_number),
        ]
    )
    change = rx.el.p(
        _("Something wrong or changed? Write to us:"), " ", support_link(AccountPage.support), class_name="text-quiet"
    )
    password = link(_("Change password"), href=path_for("/account/password"))
    body = rx.el.div(
        section(_("You"), facts, aside=password), section(_("Support"), change), class_name="grid max-w-2xl gap-10"
    )
    return portal_page(page_title(_("Account")), faces(AccountPage, body), active="account")
