"""The notice of a missing connection: it appears after two seconds, says why, and disappears with the connection."""

import reflex as rx
from reflex_base.constants import Hooks, Imports
from reflex_base.vars import VarData

from portal_app.components.status import shape
from portal_app.domain.identity.tabs import TABS_OF_ACCOUNT, TABS_OF_NETWORK
from portal_app.language import _

_DATA = VarData(imports=Imports.CONNECT_ERRORS, hooks={Hooks.CONNECT_ERRORS: None})
_IS_MISSING = rx.Var("(connectErrors.length > 0)", _var_type=bool, _var_data=_DATA)
# What the server said, where it said anything: see `WebsocketLimits`.
_REASON = rx.Var("(connectErrors[connectErrors.length - 1]?.message ?? '')", _var_type=str, _var_data=_DATA)


def connection_notice() -> rx.Component:
    """Say that live updates are missing and why; the stylesheet delays it: a short interruption shows nothing."""
    lost = _("The connection was lost. Reconnecting by itself; nothing you entered is gone.")
    account = _("You have too many tabs of the portal open. Close some: this page goes on by itself within seconds.")
    network = _(
        "Too many pages of the portal are open from your network, so this one shows nothing live. Close other tabs, or "
        "sign in here: your account has a connection of its own."
    )
    words = rx.el.p(
        shape("mt-1.5"),
        rx.match(_REASON, (TABS_OF_ACCOUNT, account), (TABS_OF_NETWORK, network), lost),
        custom_attrs={"data-tone": "attention"},
        class_name="connection flex gap-3 rounded border border-line bg-surface px-4 py-3 text-small shadow",
    )
    return rx.el.div(
        rx.cond(_IS_MISSING, words),
        role="status",
        class_name="no-print fixed inset-x-4 top-4 z-50 mx-auto w-fit max-w-md empty:hidden",
    )
