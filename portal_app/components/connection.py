"""The notice of a lost connection: it appears after two seconds and disappears with the reconnection."""

import reflex as rx
from reflex_base.constants import Hooks, Imports
from reflex_base.vars import VarData

from portal_app.components.status import shape
from portal_app.language import _

_IS_LOST = rx.Var(
    "(connectErrors.length > 0)",
    _var_type=bool,
    _var_data=VarData(imports=Imports.CONNECT_ERRORS, hooks={Hooks.CONNECT_ERRORS: None}),
)


def connection_notice() -> rx.Component:
    """Say that live updates are interrupted; the stylesheet delays it, so that a short interruption shows nothing."""
    words = rx.el.p(
        shape("mt-1.5"),
        _("The connection was lost. Reconnecting by itself; nothing you entered is gone."),
        custom_attrs={"data-tone": "attention"},
        class_name="connection flex gap-3 rounded border border-line bg-surface px-4 py-3 text-small shadow",
    )
    return rx.el.div(
        rx.cond(_IS_LOST, words),
        role="status",
        class_name="no-print fixed inset-x-4 top-4 z-50 mx-auto w-fit max-w-md empty:hidden",
    )
