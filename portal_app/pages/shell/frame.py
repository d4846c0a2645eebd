"""The frame of signed-in pages: navigation, the states of a page without data, and the reload of an ended session."""

from typing import Any

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.condition import Content
from portal_app.components.connection import connection_notice
from portal_app.components.frame import signed_in_frame
from portal_app.components.link import link
from portal_app.components.message import flash, message
from portal_app.components.navigation import NavItem
from portal_app.components.section import page_title
from portal_app.components.states import problem_state, saved_data_note, skeleton
from portal_app.language import _, path_for, spoken
from portal_app.pages.shell.step_up import step_up_dialog
from portal_app.state.shell.notice_count import NoticeCount
from portal_app.state.shell.session import PageSession

# Compiled into the page: the content security policy allows no script that the server sends later.
_RELOAD = rx.Var("(() => window.location.reload())")


def portal_page(title: Content, *children: rx.Component, active: str) -> rx.Component:
    """Put a page into the signed-in frame; its body is rendered only once its session is known."""
    return signed_in_frame(
        reload_when_lost(),
        rx.cond(
            PageSession.signed_in,
            rx.el.div(step_up_dialog(), title, *children, class_name="grid min-w-0 gap-10"),
            rx.el.div(title, skeleton(5), class_name="grid min-w-0 gap-10"),
        ),
        nav=_navigation(),
        active=active,
        customer_name=PageSession.japanese_name if spoken() == "ja" else PageSession.name,
        unread=NoticeCount.unread,
        unread_label=NoticeCount.label,
        connection=connection_notice(),
    )


def reload_when_lost() -> rx.Component:
    """Reload the page once when its session has ended: the request renews the cookies or leads to the sign-in page."""
    return rx.cond(PageSession.must_reload, rx.el.span(on_mount=rx.call_function(_RELOAD), hidden=True))


def page_body(state: Any, body: rx.Component, *, loading: rx.Component | None = None) -> rx.Component:
    """Show what the page's state asks for: the body, a problem, "not found", "being set up", or a placeholder."""
    failed = problem_state(
        _("This page cannot be shown right now"),
        text=state.problem,
        action=button(_("Try again"), variant="secondary", size="small", on_click=state.load),
    )
    ready = rx.el.div(
        flash(state.problem, tone="problem"),
        rx.cond(state.saved_note != "", saved_data_note(state.saved_note)),
        body,
        class_name="grid min-w-0 gap-10",
    )
    waiting = rx.cond(state.problem != "", failed, loading or skeleton(5))
    return rx.cond(
        state.setting_up,
        setting_up_message(state),
        rx.cond(state.missing, not_found_message(), rx.cond(state.shown, ready, waiting)),
    )


def setting_up_message(state: Any) -> rx.Component:
    """Say that the account is not ready yet, and why where that takes longer; the page changes by itself."""
    usual = _("Billing and orders open as soon as it is done, usually within a minute. This page changes by itself.")
    return message(
        rx.cond(state.setting_up_note != "", state.setting_up_note, usual),
        title=_("We are setting up your account"),
    )


def not_found_message() -> rx.Component:
    """Say "not found", in the same words for what does not exist and for what belongs to another customer."""
    return rx.el.div(
        page_title(_("We could not find that"), lead=_("It may have been removed, or the address is incomplete.")),
        rx.el.div(link_button(_("Go to your dashboard"), href=path_for("/dashboard"), variant="secondary")),
        class_name="grid gap-6",
    )


def _navigation() -> list[NavItem]:
    return [
        NavItem(_("Home"), path_for("/dashboard"), "house", "home"),
        NavItem(_("Services"), path_for("/subscriptions"), "router", "services"),
        NavItem(_("Billing"), path_for("/billing/invoices"), "bill", "billing"),
        NavItem(_("Support"), path_for("/support/cases"), "help", "support"),
        NavItem(_("Account"), path_for("/account"), "person", "account"),
        NavItem(_("Orders"), path_for("/orders"), "box", "orders"),
    ]


def support_link(address: rx.Var[str]) -> rx.Component:
    """Link to the support mailbox once it is known: a link needs a text."""
    return rx.cond(address != "", link(address, href="mailto:" + address, reload=True))
