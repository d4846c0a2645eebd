"""The SIM line on the page of its service."""

from typing import Any

import reflex as rx

from portal_app.components.condition import has, when
from portal_app.components.day_chart import day_chart
from portal_app.components.definition import definition_list
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import section
from portal_app.components.status import status
from portal_app.language import _
from portal_app.state.subscriptions.subscription import SubscriptionPage


def line_sections() -> rx.Component:
    """Show the line of a SIM service, or that none is linked; nothing for other services."""
    searching = message(_("We look for the phone line of this service. This page changes by itself."))
    missing = message(
        _("This service is not linked to its phone line yet. Our team has been told and looks into it."),
        tone="attention",
    )
    return rx.match(
        SubscriptionPage.line.link,
        ("linked", rx.fragment(_line(), _data())),
        ("searching", section(_("SIM"), searching)),
        ("not_linked", section(_("SIM"), missing)),
        rx.fragment(),
    )


def _line() -> rx.Component:
    line = SubscriptionPage.line
    facts = definition_list(
        [
            (_("Phone number"), rx.el.span(line.number, class_name="font-semibold")),
            (
                _("Line"),
                rx.el.span(
                    status(line.word, tone=line.tone),
                    rx.el.span(line.note, class_name="block text-small text-quiet"),
                ),
            ),
        ]
    )
    pending = rx.cond(
        line.pending.length() > 0,
        rx.el.div(rx.el.h3(_("Under way"), class_name="mt-6 font-semibold"), line_facts(line.pending)),
    )
    records = link(_("Calls and SMS"), href=line.calls_href)
    return section(_("SIM"), facts, pending, aside=records)


def contract_facts() -> rx.Component:
    """Show plan, network and the ends of the SIM's numbers; nothing for other services."""
    return rx.cond(SubscriptionPage.line.link == "linked", line_facts(SubscriptionPage.line.facts))


def _data() -> rx.Component:
    line = SubscriptionPage.line
    chart = day_chart(
        line.bars, width=line.width, title=_("Data used each day"), highest=line.highest, today=line.today
    )
    parts = rx.cond(
        line.parts.length() > 1,
        rx.el.div(
            line_facts(line.parts),
            rx.el.p(_("What expires first counts as used first."), class_name="mt-1 text-small text-quiet"),
        ),
    )
    top_ups = rx.cond(
        line.top_ups.length() > 0,
        rx.el.div(rx.el.h3(_("Added data"), class_name="font-semibold"), line_facts(line.top_ups)),
    )
    return section(
        _("Data"),
        rx.el.div(
            rx.el.div(
                rx.el.p(line.left, class_name="text-title font-semibold tabular-nums"),
                rx.el.p(line.data_note, class_name="mt-1 text-quiet"),
            ),
            message(
                rx.fragment(
                    line.forecast,
                    when(has(line.record), rx.el.span(line.record, class_name="block text-small text-quiet")),
                ),
                tone=line.forecast_tone,
            ),
            parts,
            rx.cond(line.bars.length() > 0, chart),
            top_ups,
            class_name="grid gap-6",
        ),
    )


def line_facts(rows: Any) -> rx.Component:
    """List facts, each with its label."""
    return rx.el.dl(
        rx.foreach(
            rows,
            lambda row: rx.el.div(
                rx.el.dt(row.label, class_name="shrink-0 text-quiet"),
                rx.el.dd(row.value, class_name="min-w-0 text-right tabular-nums [overflow-wrap:anywhere]"),
                class_name="flex items-baseline justify-between gap-6 py-2.5",
            ),
        ),
        class_name="divide-y divide-line border-b border-line",
    )
