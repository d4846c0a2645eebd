"""What we sell, at a glance."""

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.frame import public_frame
from portal_app.components.icon import icon
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import section
from portal_app.components.slot import place, slot
from portal_app.components.static_pages import static_page
from portal_app.language import _, path_for
from portal_app.pages.shell.page import page


@page("/", title="Internet, SIM and VPN in Japan", is_static=True)
def landing() -> rx.Component:
    return static_page(public_frame(_opening(), _services(), _way()))


def _opening() -> rx.Component:
    return rx.el.div(
        rx.el.h1(
            _("Internet, SIM and VPN for life in Japan"),
            class_name="max-w-[18ch] text-figure font-semibold tracking-tight [word-break:auto-phrase]",
        ),
        rx.el.p(
            _("One account, one bill, and every order shown step by step, in English and Japanese."),
            class_name="mt-4 max-w-prose text-lead text-quiet",
        ),
        rx.el.div(
            link_button(_("Create account"), href=path_for("/auth/signup"), reload=True),
            link_button(_("Sign in"), href=path_for("/auth/login"), variant="secondary", reload=True),
            class_name="mt-8 flex flex-wrap gap-3",
        ),
    )


def _services() -> rx.Component:
    kinds = [
        ("internet", "globe", _("Internet"), _("A fibre line at home.")),
        ("sim", "sim", _("SIM"), _("Data, or data and voice, for a phone or router.")),
        ("vpn", "shield", _("VPN"), _("A router that puts your home abroad.")),
    ]
    cards = rx.el.ul(*[_service(*kind) for kind in kinds], class_name="grid gap-4 sm:grid-cols-3 sm:gap-5")
    return rx.el.div(
        section(_("Plans"), slot("away", rx.el.div(prices_away(), class_name="mb-5")), cards),
        id="plans",
    )


def _service(category: str, drawing: str, name: str, text: str) -> rx.Component:
    price = rx.el.p(
        rx.el.span(_("from"), " ", class_name="text-small text-quiet"),
        rx.el.span(place("amount"), class_name="text-title font-semibold tracking-tight tabular-nums"),
        rx.el.span(" ", _("a month with tax"), class_name="text-small text-quiet"),
        class_name="mt-4",
    )
    words = rx.el.span(_("See plans"), rx.el.span(f": {name}", class_name="sr-only"))
    return rx.el.li(
        rx.el.span(icon(drawing, size=24), class_name="text-accent"),
        rx.el.h3(name, class_name="mt-3 text-lead font-semibold"),
        rx.el.p(text, class_name="mt-1 text-quiet"),
        slot(f"from {category}", price),
        rx.el.p(link(words, href=path_for(f"/plans/{category}"), reload=True), class_name="mt-auto pt-5"),
        class_name="flex flex-col rounded border border-line bg-surface p-6",
    )


def _way() -> rx.Component:
    steps = [
        (_("Choose"), _("Pick a plan and order it in a few minutes. Prices are shown with and without tax.")),
        (_("Follow"), _("See your order being reviewed, approved and set up, while it happens.")),
        (_("Pay"), _("One bill for everything, due dates at a glance, paid by card.")),
    ]
    return section(
        _("How it goes"),
        rx.el.ol(*[_step(at, *step) for at, step in enumerate(steps, 1)], class_name="grid gap-6 sm:grid-cols-3"),
    )


def _step(number: int, title: str, text: str) -> rx.Component:
    return rx.el.li(
        rx.el.h3(rx.el.span(str(number), class_name="mr-2 text-quiet tabular-nums"), title, class_name="font-semibold"),
        rx.el.p(text, class_name="mt-1 text-quiet"),
        class_name="border-t border-line pt-4",
    )


def prices_away() -> rx.Component:
    """Say that prices cannot be shown."""
    return message(
        _("Our price list is not answering. Try again in a few minutes."),
        tone="attention",
        title=_("Prices are not available right now"),
    )
