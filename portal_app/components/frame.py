"""The frames around pages: for signed-in customers, for public pages, and for the steps of signing in."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from portal_app.components.condition import Text
from portal_app.components.connection import connection_notice
from portal_app.components.link import link
from portal_app.components.navigation import Around, NavItem, bottom_bar, sidebar, top_bar
from portal_app.components.theme_toggle import theme_toggle
from portal_app.components.wordmark import PRODUCT, wordmark
from portal_app.language import _, path_for

_ROW = "mx-auto flex w-full max-w-5xl flex-wrap items-center justify-between gap-x-6 px-5 sm:px-8"
_GAP = "grid grid-cols-[minmax(0,1fr)] content-start gap-10"
# The router keeps the browser from moving the focus with the fragment, so the link does it itself.
_TO_CONTENT = rx.Var("(() => document.getElementById('content').focus())")


def signed_in_frame(
    *children: rx.Component,
    nav: Sequence[NavItem],
    active: str,
    customer_name: Text,
    unread: int | rx.Var[int] | None = None,
    unread_label: Text = "",
    connection: rx.Component | None = None,
) -> rx.Component:
    """Put a page between sidebar (wide) or bottom bar (phone). `active` is the key of the page's NavItem.

    `unread` brings the bell with `unread_label` as its count, None leaves it out; `connection` replaces the connection
    notice.
    """
    around = Around(nav, customer_name, unread, unread_label)
    return rx.el.div(
        _skip_link(),
        connection or connection_notice(),
        sidebar(around, active),
        rx.el.div(
            top_bar(around),
            rx.el.main(
                *children,
                id="content",
                tab_index=-1,
                class_name=f"{_GAP} mx-auto max-w-5xl px-5 pb-16 pt-4 sm:px-8 md:pt-12",
            ),
            class_name="min-w-0 pb-20 md:pb-0",
        ),
        bottom_bar(nav, active),
        class_name="min-h-dvh md:grid md:grid-cols-[14rem_minmax(0,1fr)]",
    )


def public_frame(*children: rx.Component, signed_in: bool = False) -> rx.Component:
    """Put a public page between a plain header and footer; it works without any script but THEME_SCRIPT."""
    return rx.el.div(
        _skip_link(),
        rx.el.header(
            link(wordmark(), href=path_for("/"), reload=True, class_name="rounded py-2.5"),
            rx.el.nav(
                *_public_links(signed_in),
                rx.el.div(theme_toggle(), class_name="ml-auto"),
                aria_label=_("Main"),
                class_name="-mx-3 flex flex-auto basis-full items-center sm:ml-0 sm:flex-none sm:basis-auto sm:gap-x-1",
            ),
            class_name=f"no-print {_ROW} py-3",
        ),
        rx.el.main(
            *children,
            id="content",
            tab_index=-1,
            class_name=f"{_GAP} mx-auto w-full max-w-5xl flex-1 px-5 pb-20 pt-8 sm:px-8 sm:pt-14",
        ),
        rx.el.footer(
            rx.el.div(
                rx.el.p(PRODUCT),
                rx.el.ul(*[_footer_link(*place) for place in _footer_places()], class_name="flex flex-wrap gap-x-6"),
                class_name=f"{_ROW} gap-y-2 py-6",
            ),
            class_name="no-print border-t border-line text-small text-quiet",
        ),
        class_name="flex min-h-dvh flex-col",
    )


def auth_frame(*children: rx.Component, title: Text, lead: Any = "", below: Any = "") -> rx.Component:
    """Put one step of signing in on a screen; `below` holds the link to a related screen."""
    return rx.el.div(
        _skip_link(),
        connection_notice(),
        rx.el.header(
            link(wordmark(), href=path_for("/"), reload=True, class_name="rounded py-2.5"),
            theme_toggle(),
            class_name="flex items-center justify-between px-5 py-3 sm:px-8",
        ),
        rx.el.main(
            rx.el.h1(title, class_name="text-title font-semibold tracking-tight"),
            rx.el.div(lead, class_name="mt-2 text-quiet empty:hidden"),
            rx.el.div(*children, class_name="mt-8 grid gap-6"),
            rx.el.div(below, class_name="mt-8 border-t border-line pt-6 text-small text-quiet empty:hidden"),
            id="content",
            tab_index=-1,
            class_name="mx-auto w-full max-w-[26rem] px-5 pb-16 pt-6 sm:pt-[10vh]",
        ),
        class_name="min-h-dvh",
    )


def _skip_link() -> rx.Component:
    return link(
        _("Skip to content"),
        href="#content",
        reload=True,
        class_name="button sr-only focus:not-sr-only focus:absolute focus:left-4 focus:top-4 focus:z-50",
        on_click=rx.call_function(_TO_CONTENT),
        custom_attrs={"data-variant": "primary"},
    )


def _public_links(signed_in: bool) -> list[rx.Component]:
    plain = "inline-flex min-h-11 items-center rounded px-3 text-small text-quiet hover:text-ink hover:underline"
    strong = "inline-flex min-h-11 items-center rounded px-3 text-small font-semibold text-accent hover:underline"
    plans = link(_("Plans"), href=f"{path_for('/')}#plans", reload=True, class_name=plain)
    if signed_in:
        return [plans, link(_("Dashboard"), href=path_for("/dashboard"), reload=True, class_name=strong)]
    return [
        plans,
        link(_("Sign in"), href=path_for("/auth/login"), reload=True, class_name=plain),
        link(_("Create account"), href=path_for("/auth/signup"), reload=True, class_name=strong),
    ]


def _footer_places() -> list[tuple[str, str]]:
    return [
        (_("Internet"), "/plans/internet"),
        (_("SIM"), "/plans/sim"),
        (_("VPN"), "/plans/vpn"),
        (_("Help"), "/help"),
        (_("Service status"), "/status"),
        (_("Contact"), "/contact"),
    ]


def _footer_link(words: str, route: str) -> rx.Component:
    place = "inline-flex min-h-8 items-center hover:text-ink hover:underline pointer-coarse:min-h-11"
    return rx.el.li(link(words, href=path_for(route), reload=True, class_name=place))
