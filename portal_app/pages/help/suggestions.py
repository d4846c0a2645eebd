"""Help articles beside a form: they appear while somebody types, and are only an offer."""

from typing import Any

import reflex as rx

from portal_app.components.link import link
from portal_app.language import _
from portal_app.state.help.suggestions import HelpSuggestions

# Milliseconds without a key before the articles are looked for.
_PAUSE = 300


def suggesting() -> Any:
    """Return what a text field does `on_change`."""
    return HelpSuggestions.suggest.debounce(_PAUSE)


def suggestions() -> rx.Component:
    """Show the articles that fit what was typed; nothing where none does."""
    return rx.el.div(
        rx.cond(
            HelpSuggestions.found.length() > 0,
            rx.el.div(
                rx.el.p(_("This may answer it already:"), class_name="text-small font-medium"),
                rx.el.ul(rx.foreach(HelpSuggestions.found, _line), class_name="mt-2 grid gap-2"),
                class_name="rounded border border-line bg-surface p-4",
            ),
        ),
        on_mount=HelpSuggestions.clear,
        aria_live="polite",
        class_name="empty:hidden",
    )


def _line(row: Any) -> rx.Component:
    return rx.el.li(
        link(row.title, href=row.href, reload=True, target="_blank"),
        rx.el.p(row.summary, class_name="text-small text-quiet"),
    )
