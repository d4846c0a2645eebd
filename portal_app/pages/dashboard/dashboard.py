"""What is due, what needs the customer, how services and orders stand."""

from typing import Any

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.link import link
from portal_app.components.message import flash, message
from portal_app.components.money import figure
from portal_app.components.section import page_title, section
from portal_app.components.states import empty_state, problem_state, skeleton
from portal_app.components.status import status
from portal_app.components.timeline import TimelineStep, timeline
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page, support_link
from portal_app.pages.shell.page import page
from portal_app.pages.status.incidents import incident_notices
from portal_app.state.dashboard.dashboard import DashboardPage


@page("/dashboard", title="Home", load=DashboardPage.load)
def dashboard() -> rx.Component:
    title = rx.cond(DashboardPage.greeting != "", DashboardPage.greeting, _("Home"))
    # What is due comes first for thumbs and screen readers, and stands at the side where there is room.
    parts = rx.el.div(
        rx.el.div(_due(), class_name="min-w-0 lg:col-start-2 lg:row-start-1"),
        rx.el.div(_left(), class_name="grid min-w-0 content-start gap-10 lg:col-start-1 lg:row-start-1"),
        class_name="grid gap-10 lg:grid-cols-[minmax(0,1fr)_20rem] lg:gap-14",
    )
    body = rx.el.div(incident_notices(), _needs(), parts, class_name="grid min-w-0 gap-10")
    face = rx.cond(DashboardPage.setting_up, _setting_up(), page_body(DashboardPage, body, loading=skeleton(8)))
    return portal_page(page_title(title), face, active="home")


def _needs() -> rx.Component:
    def need(row: Any) -> rx.Component:
        action = link(row.action, href=row.href)
        return message(row.text, tone=row.tone, title=row.title, action=action)

    return rx.cond(
        DashboardPage.needs.length() > 0,
        rx.el.div(rx.foreach(DashboardPage.needs, need), class_name="grid gap-3"),
    )


def _due() -> rx.Component:
    pay = rx.cond(
        DashboardPage.due_href != "",
        link_button(_("Review and pay"), href=DashboardPage.due_href, class_name="w-full"),
        link(_("All invoices"), href=path_for("/billing/invoices")),
    )
    amount = rx.cond(
        DashboardPage.due != "",
        figure(DashboardPage.due, caption=DashboardPage.due_note),
        rx.el.p(DashboardPage.due_note, class_name="text-quiet"),
    )
    return section(_("Amount due"), rx.el.div(amount, rx.el.div(pay, class_name="mt-5")))


def _left() -> rx.Component:
    cases = rx.cond(DashboardPage.cases != "", _cases())
    return rx.fragment(_services(), rx.cond(DashboardPage.orders.length() > 0, _orders()), cases)


def _services() -> rx.Component:
    empty = empty_state(
        _("No service yet"),
        text=_("Your internet, SIM and VPN services will be listed here."),
        action=link_button(_("See the plans"), href=path_for("/catalog")),
    )
    failed = problem_state(_("Your services cannot be shown right now"), text=DashboardPage.services_problem)
    rows = rx.cond(DashboardPage.services.length() > 0, _list(DashboardPage.services, _service), empty)
    return section(
        _("Services"),
        rx.cond(DashboardPage.services_problem != "", failed, rows),
        aside=link(_("Add a service"), href=path_for("/catalog")),
    )


def _orders() -> rx.Component:
    return section(_("Orders in progress"), _list(DashboardPage.orders, _order))


def _cases() -> rx.Component:
    words = link(DashboardPage.cases, href=path_for("/support/cases?status=open"), class_name="link inline-block py-1")
    return section(_("Your questions"), words, aside=link(_("All cases"), href=path_for("/support/cases")))


def _service(row: Any) -> rx.Component:
    price = rx.el.span(row.price, " ", row.period, class_name="tabular-nums")
    note = rx.cond(row.is_add_on, rx.el.span(_("Add-on"), " · "))
    return _line(row, rx.fragment(note, price), indent=rx.cond(row.is_add_on, "border-l border-line pl-4", ""))


def _order(row: Any) -> rx.Component:
    return _line(row, row.placed, name=row.title)


def _list(rows: rx.Var, line: Any) -> rx.Component:
    return rx.el.ul(rx.foreach(rows, line), class_name="divide-y divide-line border-y border-line")


def _line(row: Any, note: Any, *, name: Any = None, indent: Any = "") -> rx.Component:
    return rx.el.li(
        rx.el.div(
            link(row.name if name is None else name, href=row.href, class_name="link inline-block py-1 font-medium"),
            rx.el.p(note, class_name="text-small text-quiet"),
            class_name=f"min-w-0 flex-1 basis-48 {indent}",
        ),
        status(row.word, tone=row.tone),
        class_name="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1 py-3",
    )


def _setting_up() -> rx.Component:
    steps = [
        TimelineStep("done", _("Account created")),
        TimelineStep(
            "now",
            _("Billing and customer record"),
            detail=_("Usually within a minute. If one of our systems is away, it is finished when that is back."),
        ),
        TimelineStep("next", _("Ready to order")),
    ]
    under_way = section(
        _("We are setting up your account"),
        flash(DashboardPage.setting_up_note, tone="attention"),
        timeline(steps, label=_("Setting up your account")),
        rx.el.p(_("This page changes by itself. Meanwhile you can look at the plans."), class_name="mt-6 text-quiet"),
        rx.el.div(link_button(_("See the plans"), href=path_for("/catalog"), variant="secondary"), class_name="mt-4"),
    )
    failed = problem_state(
        _("We could not finish setting up your account"),
        text=_("Our team has been told. Write to us if you do not hear from us within a working day."),
        action=support_link(DashboardPage.support),
    )
    return rx.cond(DashboardPage.set_up_failed, failed, under_way)
