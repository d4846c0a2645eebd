"""All services, and one service."""

from typing import Any

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.countdown import countdown
from portal_app.components.definition import definition, definition_list
from portal_app.components.dialog import dialog, dialog_button, dialog_choice
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import columns, page_title, section
from portal_app.components.states import empty_state, skeleton, table_skeleton
from portal_app.components.status import status
from portal_app.components.table import Column, data_table, row_link
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.pages.sim.alerts import alert_section, auto_top_up_section
from portal_app.pages.sim.line import contract_facts, line_sections
from portal_app.pages.sim.line_orders import line_order_section
from portal_app.pages.sim.top_up import top_up_section
from portal_app.pages.support.about import questions_about
from portal_app.state.subscriptions.subscription import SubscriptionPage
from portal_app.state.subscriptions.subscriptions import SubscriptionsPage

_KEEP = "keep-service"


@page("/subscriptions", title="Services", load=SubscriptionsPage.load)
def subscriptions() -> rx.Component:
    table = data_table(
        SubscriptionsPage.rows,
        columns=[
            Column(_("Service"), _name),
            Column(_("Status"), lambda row: status(row.word, tone=row.tone)),
            Column(_("Next due"), lambda row: row.next_due),
            Column(
                _("Price with tax"),
                lambda row: rx.el.span(row.price, " ", rx.el.span(row.period, class_name="text-small text-quiet")),
                align="end",
            ),
        ],
        caption=_("Your services, newest first; add-ons below their line"),
    )
    empty = empty_state(
        _("No service yet"),
        text=_("Your internet, SIM and VPN services will be listed here."),
        action=link_button(_("See the plans"), href=path_for("/catalog")),
    )
    body = rx.cond(SubscriptionsPage.rows.length() > 0, table, empty)
    add = link_button(_("Add a service"), href=path_for("/catalog"), variant="secondary")
    title = page_title(_("Services"), actions=add)
    return portal_page(title, page_body(SubscriptionsPage, body, loading=table_skeleton()), active="services")


def _name(row: Any) -> rx.Component:
    note = rx.cond(row.is_add_on, rx.el.span(" ", _("Add-on"), class_name="text-small text-quiet"))
    return rx.el.div(
        row_link(row.name, href=row.href), note, class_name=rx.cond(row.is_add_on, "border-l border-line pl-4", "")
    )


@page("/subscriptions/[service_id]", title="Service", load=SubscriptionPage.load)
def subscription() -> rx.Component:
    back = link(_("All services"), href=path_for("/subscriptions"))
    title = page_title(SubscriptionPage.name, lead=status(SubscriptionPage.word, tone=SubscriptionPage.tone), back=back)
    facts = definition_list(
        [
            (
                _("Price with tax"),
                rx.el.span(
                    SubscriptionPage.price,
                    " ",
                    rx.el.span(SubscriptionPage.period, class_name="text-small text-quiet"),
                    rx.el.span(SubscriptionPage.price_note, class_name="block text-small text-quiet"),
                ),
            ),
            (_("Next due"), SubscriptionPage.next_due),
            (_("Since"), SubscriptionPage.since),
            (_("Kind"), SubscriptionPage.kind),
        ]
    )
    main = rx.fragment(
        _story(),
        line_sections(),
        top_up_section(),
        auto_top_up_section(),
        alert_section(),
        line_order_section(),
        section(_("Contract"), facts, contract_facts(), _fields()),
        _invoices(),
    )
    asked = questions_about(SubscriptionPage.cases, ask=SubscriptionPage.ask_href)
    body = rx.fragment(title, columns(main, rx.fragment(_actions(), asked)))
    loading = rx.el.div(page_title(_("Service"), back=back), skeleton(5), class_name="grid gap-10")
    return portal_page(rx.fragment(), page_body(SubscriptionPage, body, loading=loading), active="services")


def _story() -> rx.Component:
    """Say how the service ends, and let the customer take that back while it can be."""
    left = rx.el.p(
        _("Time left to withdraw:"),
        " ",
        countdown(
            id="withdraw-left",
            until=SubscriptionPage.withdraw_by,
            days=_("{days} days, {hours} hours, {minutes} minutes"),
            hours=_("{hours} hours, {minutes} minutes, {seconds} seconds"),
            minutes=_("{minutes} minutes, {seconds} seconds"),
        ),
        class_name="text-small",
    )
    keep = rx.el.div(
        left, dialog_button(_("Withdraw the cancellation"), opens=_KEEP), class_name="grid gap-3 sm:justify-items-start"
    )
    story = message(
        SubscriptionPage.story,
        tone=SubscriptionPage.story_tone,
        title=SubscriptionPage.story_title,
        action=rx.cond(SubscriptionPage.withdraw_by != "", keep),
    )
    sure = dialog(
        rx.el.p(_("It goes on as before, and is billed as before.")),
        id=_KEEP,
        title=_("Keep this service?"),
        actions=dialog_choice(
            _KEEP, stay=_("Close"), go=_("Keep the service"), on_go=SubscriptionPage.withdraw, variant="primary"
        ),
    )
    return rx.cond(SubscriptionPage.story_title != "", rx.el.div(story, sure))


def _fields() -> rx.Component:
    rows = rx.el.dl(
        rx.foreach(SubscriptionPage.fields, lambda field: definition(field.name, field.value)),
        class_name="divide-y divide-line border-b border-line",
    )
    return rx.cond(SubscriptionPage.fields.length() > 0, rows)


def _invoices() -> rx.Component:
    table = data_table(
        SubscriptionPage.invoices,
        columns=[
            Column(_("Invoice"), lambda row: row_link(row.label, href=row.href)),
            Column(_("Due by"), lambda row: row.due, is_short=True),
            Column(_("Status"), lambda row: status(row.word, tone=row.tone)),
            Column(_("Total"), lambda row: row.total, align="end"),
        ],
        caption=_("Invoices of this service, newest first"),
    )
    none = rx.el.p(_("None yet, or they are not known right now."), class_name="text-quiet")
    aside = link(_("All invoices"), href=path_for("/billing/invoices"))
    return section(_("Invoices"), rx.cond(SubscriptionPage.invoices.length() > 0, table, none), aside=aside)


def _actions() -> rx.Component:
    cancel = link_button(_("Cancel this service"), href=SubscriptionPage.cancel_href, variant="secondary")
    return section(
        _("Manage this service"),
        rx.cond(SubscriptionPage.cancel_href != "", rx.el.div(cancel, class_name="mb-4")),
        rx.el.p(_("Other changes are made by our team: ask about them below."), class_name="text-quiet"),
        rx.el.p(
            link(_("Due dates in your calendar"), href=path_for("/account/notifications")), class_name="mt-4",
        ),
    )  # fmt: skip
