"""Alerts for a SIM line, and automatic top-up, on the page of its service."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.condition import has, when
from portal_app.components.field import select_field
from portal_app.components.message import message
from portal_app.components.section import section
from portal_app.language import _
from portal_app.pages.sim.line import line_facts
from portal_app.state.subscriptions.subscription import SubscriptionPage


def alert_section() -> rx.Component:
    """Let the customer choose what they are told of; each choice is saved at once."""
    page = SubscriptionPage
    return when(
        page.has_alerts,
        section(
            _("Alerts"),
            rx.el.p(
                _("We tell you once, here and by mail as you chose under Notifications, when a reading shows it."),
                class_name="mb-4 text-quiet",
            ),
            rx.el.div(
                _alert(_("Data left"), page.alert_left, name="alert-left", on_change=page.set_left_alert),
                _alert(
                    _("Data run out before the month ends, by the forecast"),
                    page.alert_forecast,
                    name="alert-forecast",
                    on_change=page.set_forecast_alert,
                ),
                _alert(_("Top-ups this month"), page.alert_spend, name="alert-spend", on_change=page.set_spend_alert),
                class_name="grid gap-4",
            ),
        ),
    )


def auto_top_up_section() -> rx.Component:
    """Say what is bought by itself and let it be turned off; or offer it."""
    page = SubscriptionPage
    rows = page.auto_rows
    off = button(_("Turn automatic top-up off"), variant="secondary", on_click=page.turn_off_auto_top_up)
    running = rx.el.div(line_facts(rows.facts), rx.el.div(off), class_name="grid gap-4")
    problem = when(has(rows.problem), message(rows.problem, tone="attention"))
    return when(
        page.has_auto_top_up,
        section(
            _("Automatic top-up"), rx.el.div(problem, rx.cond(rows.is_on, running, _offer()), class_name="grid gap-4")
        ),
    )


def _alert(label: str, row: Any, *, name: str, on_change: Any) -> rx.Component:
    return select_field(label, row.options, name=name, hint=row.note, value=row.choice, on_change=on_change)


def _offer() -> rx.Component:
    page = SubscriptionPage
    explained = _(
        "When little data are left, we buy more with your stored card and tell you each time. What you buy yourself "
        "counts for the limit too. If your card declines once, it is turned off."
    )
    return rx.el.div(
        rx.el.p(explained, class_name="text-quiet"),
        select_field(
            _("Data each time"),
            page.auto_amounts,
            name="auto-amount",
            value=page.auto_amount,
            on_change=page.choose_auto_amount,
        ),
        select_field(
            _("When data are left"),
            page.auto_thresholds,
            name="auto-threshold",
            value=page.auto_threshold,
            on_change=page.choose_auto_threshold,
        ),
        select_field(
            _("At most, with tax"), page.auto_caps, name="auto-cap", value=page.auto_cap, on_change=page.choose_auto_cap
        ),
        rx.el.div(button(page.auto_button, on_click=page.turn_on_auto_top_up)),
        class_name="grid gap-4",
    )
