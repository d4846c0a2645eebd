"""Internet plans with what is available at the customer's address, and the check of it."""

from typing import Any, Literal

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.link import link
from portal_app.components.live_region import live_region
from portal_app.components.message import message
from portal_app.components.section import page_title, section
from portal_app.language import _, path_for
from portal_app.pages.catalog.catalog import plan_cards
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.internet.plans import InternetPlansPage


@page("/catalog/internet", title="Internet plans", load=InternetPlansPage.load)
def internet() -> rx.Component:
    state = InternetPlansPage
    held = message(
        _("We install one internet line per customer. Write to us if you need another one."),
        title=state.held,
        action=link(_("See it"), href=state.held_href),
    )
    top = rx.cond(state.held != "", held, address_panel(state, came_for="internet"))
    body = rx.el.div(top, plan_cards(state.rows), class_name="grid gap-10")
    heading = page_title(_("Internet plans"), back=link(_("All plans"), href=path_for("/catalog")))
    return portal_page(heading, page_body(state, body), active="services")


def address_panel(state: Any, *, came_for: Literal["internet", "order"]) -> rx.Component:
    """Show the customer's address, where its check stands, and what they can do about it.

    Who changes the address comes back to what they `came_for`.
    """
    change = path_for(f"/account/address?for={came_for}")
    ask = button(_("Check my address"), busy=state.asking, size="small", on_click=state.check_address)
    add = link_button(_("Add my address"), href=change, size="small")
    action = rx.cond(state.check.can_ask, ask, rx.cond(state.check.needs_address, add, rx.fragment()))
    note = rx.cond(
        state.check.note != "", rx.el.span(_("Our team adds:"), " ", state.check.note, class_name="mt-1 block")
    )
    standing = message(
        rx.fragment(state.check.text, note), tone=state.check.tone, title=state.check.title, action=action
    )
    lines = rx.foreach(state.lines, lambda line: rx.el.span(line, class_name="block"))
    return section(
        _("Your address") if came_for == "internet" else _("Where the line goes"),
        live_region(state.check.title),
        rx.el.div(rx.el.address(lines, class_name="not-italic"), standing, class_name="grid gap-5"),
        aside=link(_("Change"), href=change),
    )
