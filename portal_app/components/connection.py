"""The notices of a missing connection: that it is missing and why, and that the last action may be lost with it."""

from typing import Any

import reflex as rx
from reflex_base.constants import Hooks, Imports
from reflex_base.utils.imports import ImportVar
from reflex_base.vars import VarData

from portal_app.components.button import button
from portal_app.components.status import shape
from portal_app.domain.identity.tabs import TABS_OF_ACCOUNT, TABS_OF_NETWORK
from portal_app.language import _

# assets/line.js, as the bundler finds it.
_SCRIPT = "$/public/line.js"
_ERRORS = VarData(imports=Imports.CONNECT_ERRORS, hooks={Hooks.CONNECT_ERRORS: None})
_LINE = VarData(imports={_SCRIPT: [ImportVar(tag="useLine")]}, hooks={"const line = useLine();": None})
_IS_MISSING = rx.Var("(connectErrors.length > 0 || line.lost)", _var_type=bool, _var_data=VarData.merge(_ERRORS, _LINE))
# What the server said, where it said anything: see `WebsocketLimits`.
_REASON = rx.Var("(connectErrors[connectErrors.length - 1]?.message ?? '')", _var_type=str, _var_data=_ERRORS)
_IS_UNSENT = rx.Var("line.unsent", _var_type=bool, _var_data=_LINE)
_DISMISS = rx.Var("(() => dismiss())", _var_data=VarData(imports={_SCRIPT: [ImportVar(tag="dismiss")]}))
_BOX = "flex items-start gap-3 rounded border border-line bg-surface px-4 py-3 text-small shadow"


def connection_notice() -> rx.Component:
    """Say that live updates are missing and why, and that the last action may not have been received.

    The stylesheet delays the first, so that a short interruption shows nothing.
    """
    unsent = _notice(
        _(
            "The connection broke before your last action was received. "
            "Check whether it was carried out, then repeat it."
        ),
        action=button(_("Close"), variant="quiet", size="small", on_click=rx.call_function(_DISMISS)),
    )
    return rx.el.div(
        rx.cond(_IS_UNSENT, unsent),
        rx.cond(_IS_MISSING, _notice(_reason(), "connection")),
        role="status",
        class_name="no-print fixed inset-x-4 top-4 z-50 mx-auto grid w-fit max-w-md gap-2 empty:hidden",
    )


def _reason() -> Any:
    lost = _("The connection was lost. Reconnecting by itself; nothing you entered is gone.")
    account = _("You have too many tabs of the portal open. Close some: this page goes on by itself within seconds.")
    network = _(
        "Too many pages of the portal are open from your network, so this one shows nothing live. Close other tabs, or "
        "sign in here: your account has a connection of its own."
    )
    return rx.match(_REASON, (TABS_OF_ACCOUNT, account), (TABS_OF_NETWORK, network), lost)


def _notice(text: Any, class_name: str = "", *, action: rx.Component | None = None) -> rx.Component:
    return rx.el.div(
        shape("mt-1.5"),
        rx.el.p(text, class_name="min-w-0 flex-1"),
        action or rx.fragment(),
        custom_attrs={"data-tone": "attention"},
        class_name=f"{class_name} {_BOX}",
    )
