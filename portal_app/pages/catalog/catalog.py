"""What can be bought: the three kinds, and the plans of each side by side."""

from typing import Any

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.condition import Text
from portal_app.components.link import link
from portal_app.components.money import Price
from portal_app.components.plan_card import check_list, one_time_note, plan_card, plan_grid
from portal_app.components.section import page_title
from portal_app.components.states import empty_state
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.catalog.catalog import CatalogPage, PlansPage


@page("/catalog", title="Plans", load=CatalogPage.load)
def catalog() -> rx.Component:
    kinds = rx.el.ul(rx.foreach(CatalogPage.rows, _kind), class_name="divide-y divide-line border-y border-line")
    title = page_title(_("Plans"), lead=_("Choose what you need; every price is shown before you order."))
    return portal_page(title, page_body(CatalogPage, kinds), active="services")


@page("/catalog/sim", title="SIM plans", load=PlansPage.load)
def sim() -> rx.Component:
    return _plans(_("SIM plans"))


@page("/catalog/vpn", title="VPN plans", load=PlansPage.load)
def vpn() -> rx.Component:
    return _plans(_("VPN plans"))


def _kind(row: Any) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            link(row.name, href=row.href, class_name="link inline-block py-1 text-lead font-semibold"),
            rx.el.p(row.text, class_name="text-quiet"),
            class_name="min-w-0",
        ),
        rx.el.p(row.price, class_name="tabular-nums"),
        class_name="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1 py-5",
    )


def _plans(title: str) -> rx.Component:
    heading = page_title(title, back=link(_("All plans"), href=path_for("/catalog")))
    return portal_page(heading, page_body(PlansPage, plan_cards(PlansPage.rows)), active="services")


def plan_cards(rows: rx.Var) -> rx.Component:
    """Set plans side by side."""
    none = empty_state(_("No plans right now"), text=_("Plans of this kind are listed here when we sell them again."))
    return rx.cond(rows.length() > 0, plan_grid(rx.foreach(rows, _card)), none)


def _card(row: Any) -> rx.Component:
    not_now = _("Cannot be ordered at the moment.")
    choose = link_button(
        _("Choose"), rx.el.span(" ", row.name, class_name="sr-only"), href=row.href, class_name="w-full"
    )
    return plan_card(
        row.name,
        monthly=Price(row.monthly, row.monthly_with_tax, _("a month")),
        one_time=rx.cond(row.once != "", one_time_note(_("Once:"), Price(row.once, row.once_with_tax))),
        details=check_list(row.lines),
        action=rx.cond(row.hint != "", _instead(row.hint), rx.cond(row.is_orderable, choose, _instead(not_now))),
    )


def _instead(words: Text) -> rx.Component:
    return rx.el.p(words, class_name="text-small text-quiet")
