"""Changes of the line on the page of a SIM service: options, network, plan, and what was asked for."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.condition import has, when
from portal_app.components.countdown import countdown
from portal_app.components.definition import definition_list
from portal_app.components.dialog import dialog, dialog_button, dialog_choice
from portal_app.components.field import select_field
from portal_app.components.message import message
from portal_app.components.section import section
from portal_app.language import _
from portal_app.state.subscriptions.subscription import SubscriptionPage

_WAIT, _ROAM, _NETWORK, _PLAN = "wait-for-line", "switch-roaming", "change-network", "change-plan"


def line_order_section() -> rx.Component:
    """Offer changes of the line while they are possible, and tell where those asked for stand."""
    page = SubscriptionPage
    shown = section(
        _("Change the line"),
        rx.el.div(
            rx.foreach(page.line_orders, _story),
            when(page.voice_options.length() > 0, _options()),
            when(has(page.network_next), _network()),
            when(page.plan_choices.length() > 0, _plans()),
            class_name="grid gap-6",
        ),
    )
    is_there = page.can_change_line | (page.line_orders.length() > 0)
    return rx.fragment(rx.cond(is_there, shown), _wait_question(), _roaming_question())


def _story(order: Any) -> rx.Component:
    left = rx.el.p(
        _("Time left to withdraw:"),
        " ",
        rx.cond(order.is_plan, _left(order, "plan-change-left"), _left(order, "line-change-left")),
        class_name="text-small",
    )
    back = rx.el.div(
        left,
        button(
            _("Withdraw this change"),
            variant="secondary",
            size="small",
            on_click=SubscriptionPage.withdraw_line_order(order.id),
        ),
        class_name="grid gap-3 sm:justify-items-start",
    )
    return message(order.text, tone=order.tone, title=order.title, action=rx.cond(order.until != "", back))


def _left(order: Any, id: str) -> rx.Component:
    return countdown(
        id=id,
        until=order.until,
        days=_("{days} days, {hours} hours, {minutes} minutes"),
        hours=_("{hours} hours, {minutes} minutes, {seconds} seconds"),
        minutes=_("{minutes} minutes, {seconds} seconds"),
    )


def _options() -> rx.Component:
    def row(option: Any) -> rx.Component:
        change = rx.cond(
            option.warns,
            dialog_button(option.action, opens=_ROAM, size="small"),
            button(
                option.action,
                variant="secondary",
                size="small",
                on_click=SubscriptionPage.switch_option(option.option),
            ),
        )
        words = rx.el.p(
            rx.el.span(option.name, class_name="font-medium"),
            ": ",
            option.word,
            rx.el.span(option.price, class_name="block text-small text-quiet"),
        )
        return rx.el.li(words, change, class_name="flex flex-wrap items-center justify-between gap-3 py-3")

    return rx.el.div(
        rx.el.h3(_("Voice options"), class_name="font-semibold"),
        rx.el.ul(rx.foreach(SubscriptionPage.voice_options, row), class_name="divide-y divide-line"),
        rx.el.p(
            _("An option is billed once your line shows it. Switched off, it is billed to the end of its paid month."),
            class_name="text-small text-quiet",
        ),
    )


def _network() -> rx.Component:
    page = SubscriptionPage
    sure = dialog(
        rx.el.p(page.network_note),
        id=_NETWORK,
        title=_("Change the network?"),
        actions=dialog_choice(
            _NETWORK, stay=_("Leave it"), go=_("Change the network"), on_go=page.change_network, variant="primary"
        ),
    )
    return rx.el.div(
        rx.el.h3(_("4G or 5G"), class_name="font-semibold"),
        rx.el.p(_("Now:"), " ", page.network_now),
        rx.el.div(dialog_button(_("Change to"), " ", page.network_next, opens=_NETWORK, size="small")),
        sure,
        class_name="grid gap-2",
    )


def _plans() -> rx.Component:
    page = SubscriptionPage
    bills = definition_list([(_("Now"), page.plan_now), (_("Then"), page.plan_then)])
    sure = dialog(
        bills,
        rx.el.p(page.plan_note),
        id=_PLAN,
        title=_("Change your plan?"),
        actions=dialog_choice(
            _PLAN, stay=_("Keep the plan"), go=_("Change the plan"), on_go=page.change_plan, variant="primary"
        ),
    )
    return rx.el.div(
        rx.el.h3(_("Plan"), class_name="font-semibold"),
        select_field(
            _("New plan"),
            page.plan_choices,
            name="plan",
            hint=page.plan_note,
            value=page.plan_choice,
            on_change=page.choose_plan,
        ),
        bills,
        rx.el.div(dialog_button(_("Change the plan"), opens=_PLAN, variant="primary")),
        sure,
        class_name="grid gap-4",
    )


def _wait_question() -> rx.Component:
    page = SubscriptionPage
    return dialog(
        rx.el.p(page.line_locked),
        id=_WAIT,
        title=_("Do it when the line is free?"),
        actions=dialog_choice(
            _WAIT, stay=_("Not now"), go=_("When the line is free"), on_go=page.do_when_free, variant="primary"
        ),
        question=page.line_question,
    )


def _roaming_question() -> rx.Component:
    return dialog(
        rx.el.p(
            _(
                "Calls, messages and data abroad are charged by what you use, on top of the monthly price, and often "
                "appear on a bill months later. Look at the prices of your country before you travel."
            )
        ),
        id=_ROAM,
        title=_("Switch roaming on?"),
        actions=dialog_choice(
            _ROAM,
            stay=_("Leave it off"),
            go=_("I understand, switch it on"),
            on_go=SubscriptionPage.switch_option("roaming"),
            variant="primary",
        ),
    )
