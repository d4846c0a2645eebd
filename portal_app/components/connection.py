"""The notices of a lost connection: that it is lost, and that the last press may have been lost with it."""

import reflex as rx
from reflex_base.constants import Hooks, Imports
from reflex_base.utils.imports import ImportVar
from reflex_base.vars import VarData

from portal_app.components.button import button
from portal_app.components.status import shape
from portal_app.language import _

# assets/line.js, as the bundler finds it.
_SCRIPT = "$/public/line.js"
_LINE = VarData(imports={_SCRIPT: [ImportVar(tag="useLine")]}, hooks={"const line = useLine();": None})
_IS_LOST = rx.Var(
    "(connectErrors.length > 0 || line.lost)",
    _var_type=bool,
    _var_data=VarData.merge(_LINE, VarData(imports=Imports.CONNECT_ERRORS, hooks={Hooks.CONNECT_ERRORS: None})),
)
_IS_UNSENT = rx.Var("line.unsent", _var_type=bool, _var_data=_LINE)
_BOX = "flex items-start gap-3 rounded border border-line bg-surface px-4 py-3 text-small shadow"
_DISMISS = rx.Var("(() => dismiss())", _var_data=VarData(imports={_SCRIPT: [ImportVar(tag="dismiss")]}))


def connection_notice() -> rx.Component:
    """Say that the connection is lost, or that the last press may not have been received, until it is closed.

    The stylesheet delays the first, so that a short interruption shows nothing.
    """
    lost = _notice(_("The connection was lost. Reconnecting by itself; nothing you entered is gone."), "connection")
    unsent = _notice(
        _(
            "The connection broke before your last action was received. "
            "Check whether it was carried out, then repeat it."
        ),
        action=button(_("Close"), variant="quiet", size="small", on_click=rx.call_function(_DISMISS)),
    )
    return rx.el.div(
        rx.cond(_IS_UNSENT, unsent),
        rx.cond(_IS_LOST, lost),
        role="status",
        class_name="no-print fixed inset-x-4 top-4 z-50 mx-auto grid w-fit max-w-md gap-2 empty:hidden",
    )


def _notice(text: str, class_name: str = "", *, action: rx.Component | None = None) -> rx.Component:
    return rx.el.div(
        shape("mt-1.5"),
        rx.el.p(text, class_name="min-w-0 flex-1"),
        action or rx.fragment(),
        custom_attrs={"data-tone": "attention"},
        class_name=f"{class_name} {_BOX}",
    )
