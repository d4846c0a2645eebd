"""What the page of an invoice, order or service says of questions about it."""

from typing import Any

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.condition import Text
from portal_app.components.link import link
from portal_app.components.section import section
from portal_app.components.status import status
from portal_app.language import _


def questions_about(cases: rx.Var, *, ask: Text) -> rx.Component:
    """List the cases about a thing, and lead to a new question about it."""

    def line(row: Any) -> rx.Component:
        return rx.el.li(
            link(row.subject, href=row.href, class_name="link min-w-0 py-1 [overflow-wrap:anywhere]"),
            status(row.word, tone=row.tone),
            class_name="flex flex-wrap items-baseline justify-between gap-x-6 py-2",
        )

    rows = rx.el.ul(rx.foreach(cases, line), class_name="mb-4 divide-y divide-line border-y border-line")
    return section(
        _("Questions"),
        rx.cond(cases.length() > 0, rows),
        link_button(_("Ask about this"), href=ask, variant="secondary", size="small"),
    )
