"""What is announced for the customer, above the page's own content."""

from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.language import _, path_for
from portal_app.state.status.incidents import IncidentNotices


def incident_notices() -> rx.Component:
    """Show what is announced for this customer; nothing where nothing is. The page's state reads it."""
    return rx.el.div(
        rx.foreach(IncidentNotices.incidents, _incident),
        class_name="grid gap-3 empty:hidden",
    )


def _incident(row: Any) -> rx.Component:
    ways = rx.el.div(
        rx.cond(
            row.is_followed,
            button(
                _("Do not mail me about it"),
                variant="secondary",
                size="small",
                on_click=IncidentNotices.unfollow(row.id),
            ),
            button(
                _("Tell me when it is over"),
                variant="secondary",
                size="small",
                on_click=IncidentNotices.follow(row.id),
            ),
        ),
        link(_("Service status"), href=path_for("/status"), reload=True, class_name="link text-small"),
        class_name="flex flex-wrap items-center gap-x-4 gap-y-2",
    )
    text = rx.fragment(
        rx.el.span(row.text, class_name="whitespace-pre-line"),
        rx.cond(
            row.until != "",
            rx.el.span(
                _("Expected until"),
                " ",
                rx.el.span(row.until, class_name="whitespace-nowrap"),
                class_name="block text-small text-quiet",
            ),
        ),
    )
    return message(text, tone=row.tone, title=row.title, action=ways)
