"""The navigation: a sidebar on wide screens, a top and a bottom bar on phones."""

from collections.abc import Sequence
from dataclasses import dataclass

import reflex as rx

from portal_app.components.condition import Text, when
from portal_app.components.form import native_form
from portal_app.components.icon import icon
from portal_app.components.link import link
from portal_app.components.theme_toggle import theme_toggle
from portal_app.components.wordmark import wordmark
from portal_app.language import _, path_for

_TOOL = "relative grid size-11 place-items-center rounded text-quiet hover:bg-sunken hover:text-ink"
_SIDE = "sticky top-0 hidden h-dvh flex-col gap-6 overflow-y-auto border-r border-line px-3 py-5 md:flex"
_BAR = "fixed inset-x-0 bottom-0 z-30 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
_COUNT = "absolute left-6 top-1 grid h-4.5 min-w-4.5 place-items-center rounded-full bg-accent px-1 text-on-accent"


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation: its label, path, icon, and the key by which a page marks it as active."""

    label: str
    href: str
    icon: str
    key: str


@dataclass(frozen=True, slots=True)
class Around:
    """What the frame of a signed-in page shows: navigation, customer, and the bell unless `unread` is None."""

    nav: Sequence[NavItem]
    customer_name: Text
    unread: int | rx.Var[int] | None = None
    unread_label: Text = ""


def sidebar(around: Around, active: str) -> rx.Component:
    """Return the navigation at the left of wide screens, with sign-out, bell and theme toggle at its foot."""
    return rx.el.aside(
        link(wordmark(), href=around.nav[0].href, class_name="mx-3 rounded py-2.5"),
        rx.el.nav(
            rx.el.ul(*[_side_link(item, item.key == active) for item in around.nav], class_name="grid gap-0.5"),
            aria_label=_("Main"),
        ),
        rx.el.ul(*_help_links(), class_name="mt-auto grid"),
        rx.el.div(
            rx.el.p(around.customer_name, class_name="min-h-6 truncate px-3 text-small font-medium"),
            rx.el.div(
                _sign_out("px-3"),
                rx.el.div(_bell(around), theme_toggle(), class_name="flex"),
                class_name="flex items-center justify-between",
            ),
            class_name="border-t border-line pt-4",
        ),
        class_name=f"no-print {_SIDE}",
    )


def top_bar(around: Around) -> rx.Component:
    """Return the bar above a page on phones; one button opens the customer's name and sign-out."""
    menu = rx.el.details(
        rx.el.summary(icon("account", size=20), aria_label=_("Account menu"), class_name=_TOOL),
        rx.el.div(
            rx.el.p(around.customer_name, class_name="min-h-6 truncate px-3 pt-1 text-small font-medium"),
            rx.el.ul(*_help_links(), class_name="grid"),
            _sign_out("w-full px-3"),
            class_name="absolute right-0 z-40 mt-1 w-56 rounded border border-line bg-surface p-2 shadow",
        ),
        class_name="relative",
    )
    return rx.el.header(
        link(wordmark(), href=around.nav[0].href, class_name="rounded py-2.5"),
        rx.el.div(_bell(around), theme_toggle(), menu, class_name="flex"),
        class_name="no-print flex items-center justify-between py-2 pl-5 pr-2 md:hidden",
    )


def bottom_bar(nav: Sequence[NavItem], active: str) -> rx.Component:
    """Return the navigation below a page on phones: the first five entries."""
    return rx.el.nav(
        rx.el.ul(*[_bar_link(item, item.key == active) for item in nav[:5]], class_name="mx-auto flex max-w-md"),
        aria_label=_("Main"),
        class_name=f"no-print {_BAR}",
    )


def _help_links() -> list[rx.Component]:
    places = [(_("Help"), "/help"), (_("Service status"), "/status"), (_("Contact"), "/contact")]
    size = "min-h-9 pointer-coarse:min-h-11"
    look = f"flex {size} items-center rounded px-3 text-small text-quiet hover:text-ink hover:underline"
    return [rx.el.li(link(words, href=path_for(route), reload=True, class_name=look)) for words, route in places]


def _side_link(item: NavItem, is_active: bool) -> rx.Component:
    look = "bg-accent-soft font-semibold text-accent" if is_active else "text-quiet hover:bg-sunken hover:text-ink"
    return rx.el.li(
        link(
            icon(item.icon), item.label, href=item.href, **_current(is_active),
            class_name=f"flex min-h-10 items-center gap-3 rounded px-3 text-small {look}",
        )
    )  # fmt: skip


def _bar_link(item: NavItem, is_active: bool) -> rx.Component:
    look = "text-accent font-semibold" if is_active else "text-quiet"
    return rx.el.li(
        link(
            icon(item.icon, size=20), rx.el.span(item.label, class_name="max-w-full truncate"), href=item.href,
            **_current(is_active),
            class_name=f"flex min-h-14 flex-col items-center justify-center gap-0.5 px-1 text-note {look}",
        ),
        class_name="min-w-0 flex-1",
    )  # fmt: skip


def _current(is_active: bool) -> dict[str, str]:
    return {"aria_current": "page"} if is_active else {}


def _sign_out(extra: str) -> rx.Component:
    leave = rx.el.button(
        _("Sign out"), type="submit",
        class_name=f"min-h-11 rounded text-left text-small text-quiet hover:text-ink hover:underline {extra}",
    )  # fmt: skip
    return native_form(leave, action="/api/auth/logout", class_name="block")


def _bell(around: Around) -> rx.Component:
    if around.unread is None:
        return rx.fragment()
    count = rx.el.span(
        around.unread_label,
        rx.el.span(" ", _("unread"), class_name="sr-only"),
        class_name=f"{_COUNT} text-note font-semibold",
    )
    return link(
        icon("bell"),
        rx.el.span(_("Notifications"), class_name="sr-only"),
        when(around.unread > 0, count),
        href=path_for("/notifications"),
        class_name=_TOOL,
    )
