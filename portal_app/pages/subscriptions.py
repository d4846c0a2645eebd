"""All services, and one service."""

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.definition import definition_list
from portal_app.components.link import link
from portal_app.components.section import columns, page_title, section
from portal_app.components.states import empty_state, skeleton, table_skeleton
from portal_app.components.status import status
from portal_app.components.table import Column, data_table, row_link
from portal_app.language import _, path_for
from portal_app.pages.frame import faces, portal_page, support_link
from portal_app.pages.page import page
from portal_app.state.subscription import SubscriptionPage
from portal_app.state.subscriptions import SubscriptionsPage


@page("/subscriptions", title="Services", load=SubscriptionsPage.load)
def subscriptions() -> rx.Component:
    """Lay the page out."""
    table = data_table(
        SubscriptionsPage.rows,
        columns=[
            Column(_("Service"), lambda row: row_link(row.name, href=row.href)),
            Column(_("Status"), lambda row: status(row.word, tone=row.tone)),
            Column(_("Next due"), lambda row: row.next_due),
            Column(
                _("Price with tax"),
                lambda row: rx.el.span(row.price, " ", rx.el.span(row.period, class_name="text-small text-quiet")),
                align="end",
            ),
        ],
        caption=_("Your services, newest first"),
    )
    empty = empty_state(
        _("No service yet"),
        text=_("Your internet, SIM and VPN services will be listed here."),
        action=link_button(_("See the plans"), href=path_for("/catalog")),
    )
    body = rx.cond(SubscriptionsPage.rows.length() > 0, table, empty)
    add = link_button(_("Add a service"), href=path_for("/catalog"), variant="secondary")
    title = page_title(_("Services"), actions=add)
    return portal_page(title, faces(SubscriptionsPage, body, loading=table_skeleton()), active="services")


@page("/subscriptions/[service_id]", title="Service", load=SubscriptionPage.load)
def subscription() -> rx.Component:
    """Lay the page out."""
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
    side = section(
        _("Change something"),
        rx.el.p(
            _("Changes and cancellations are made by our team for now. Write to us:"), " ",
            support_link(SubscriptionPage.support), class_name="text-quiet",
        ),
        rx.el.p(link(_("Invoices"), href=path_for("/billing/invoices")), class_name="mt-4"),
    )  # fmt: skip
    body = rx.fragment(title, columns(rx.fragment(_line(), section(_("Contract"), facts)), side))
    loading = rx.el.div(page_title(_("Service"), back=back), skeleton(5), class_name="grid gap-10")
    return portal_page(rx.fragment(), faces(SubscriptionPage, body, loading=loading), active="services")


def _line() -> rx.Component:
    facts = definition_list(
        [
            (_("Phone number"), rx.el.span(SubscriptionPage.line_number, class_name="font-semibold")),
            (
                _("Line"),
                rx.el.span(
                    status(SubscriptionPage.line_word, tone=SubscriptionPage.line_tone),
                    rx.el.span(SubscriptionPage.line_note, class_name="block text-small text-quiet"),
                ),
            ),
        ]
    )
    return rx.cond(SubscriptionPage.has_line, section(_("SIM"), facts))
