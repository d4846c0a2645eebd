"""Data to buy on the page of a SIM service, and what became of the last purchase."""

import reflex as rx

from portal_app.components.button import button
from portal_app.components.condition import has, when
from portal_app.components.disclosure import disclosure
from portal_app.components.field import select_field
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import section
from portal_app.components.timeline import timeline
from portal_app.language import _
from portal_app.state.subscriptions.subscription import SubscriptionPage


def top_up_section() -> rx.Component:
    """Offer data while they can be bought, and tell where the last purchase stands."""
    page = SubscriptionPage
    return rx.cond(
        page.can_top_up | has(page.top_up.title),
        section(
            _("Top up"),
            rx.el.div(
                when(has(page.top_up.title), _story()),
                when(page.can_top_up, _offer()),
                when(page.top_up_history.length() > 0, _history()),
                class_name="grid gap-6",
            ),
        ),
    )


def _offer() -> rx.Component:
    page = SubscriptionPage
    return rx.el.div(
        select_field(
            _("Data"),
            page.top_up_amounts,
            name="gigabytes",
            hint=page.top_up_note,
            value=page.top_up_choice,
            on_change=page.choose_amount,
        ),
        rx.el.div(button(page.top_up_button, on_click=page.buy_data)),
        class_name="grid gap-4",
    )


def _story() -> rx.Component:
    story = SubscriptionPage.top_up
    pay = when(story.can_pay, button(_("Pay with confirmation"), size="small", on_click=SubscriptionPage.pay_top_up))
    return rx.el.div(
        message(story.text, tone=story.tone, title=story.title, action=pay),
        timeline(story.steps, label=_("Where money and data are")),
        when(has(story.invoice_href), rx.el.p(link(_("Open the invoice"), href=story.invoice_href))),
        class_name="grid gap-4",
    )


def _history() -> rx.Component:
    return disclosure(
        _("Earlier top-ups"),
        rx.el.dl(
            rx.foreach(
                SubscriptionPage.top_up_history,
                lambda row: rx.el.div(
                    rx.el.dt(row.label, class_name="text-quiet"),
                    rx.el.dd(row.value, class_name="text-right tabular-nums"),
                    class_name="flex items-baseline justify-between gap-6 py-2.5",
                ),
            ),
            class_name="mt-2 divide-y divide-line",
        ),
    )
