"""The plans of each kind for visitors, with current prices."""

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.frame import public_frame
from portal_app.components.link import link
from portal_app.components.money import Price
from portal_app.components.plan_card import check_list, one_time_note, plan_card, plan_grid
from portal_app.components.section import page_title
from portal_app.components.slot import place, slot
from portal_app.components.static_pages import static_page
from portal_app.language import _, path_for
from portal_app.pages.public.landing import prices_away
from portal_app.pages.shell.page import page


@page("/plans/internet", title="Internet plans", is_static=True)
def internet_plans() -> rx.Component:
    return _plans("internet", _("Internet plans"), _("A fibre line at home. We check your address before you order."))


@page("/plans/sim", title="SIM plans", is_static=True)
def sim_plans() -> rx.Component:
    return _plans("sim", _("SIM plans"), _("Data, or data and voice, for a phone or router."))


@page("/plans/vpn", title="VPN plans", is_static=True)
def vpn_plans() -> rx.Component:
    return _plans("vpn", _("VPN plans"), _("A router that puts your home abroad."))


def _plans(category: str, title: str, lead: str) -> rx.Component:
    back = link(_("All plans"), href=f"{path_for('/')}#plans", reload=True)
    grid = plan_grid(slot(f"plan {category}", _card()))
    heading = page_title(title, lead=lead, back=back)
    return static_page(public_frame(heading, slot("away", prices_away()), slot(f"plans {category}", grid)))


def _card() -> rx.Component:
    once = one_time_note(_("Once:"), Price(place("once"), f"({place('once_tax')})"))
    return plan_card(
        place("name"),
        monthly=Price(place("monthly"), place("monthly_tax"), _("a month")),
        one_time=slot("one-time", once),
        details=_lines(),
        action=_action(),
    )


def _lines() -> rx.Component:
    lines = check_list([place("text")])
    lines.children = [slot("line", *lines.children)]
    return lines


def _action() -> rx.Component:
    choose = link_button(_("Choose"), href=f"{path_for('/checkout')}?plan={place('sku')}", reload=True)
    not_now = rx.el.p(_("Cannot be ordered at the moment."), class_name="text-small text-quiet")
    return rx.fragment(slot("order", choose), slot("no-order", not_now))
