"""A real HTML form that the browser itself posts to the server: credentials never pass through state."""

from collections.abc import Mapping
from typing import Any

import reflex as rx
from reflex_base.event import no_args_event_spec
from reflex_components_core.el.elements.base import BaseHTML

from portal_app.components.condition import Text
from portal_app.components.watcher import when_changed

# Marks the pressed button busy while the browser posts, for at most ten seconds: the answer may never come.
_MARK_BUSY = rx.Var(
    "(() => { const b = document.activeElement?.closest('button[type=submit]') "
    "?? document.activeElement?.form?.querySelector('button[type=submit]'); "
    "if (!b) return; b.setAttribute('aria-busy', 'true'); "
    "setTimeout(() => b.removeAttribute('aria-busy'), 10000); })"
)


# The fragment of a mailed link holds its token and, behind a colon, the account's e-mail address: servers, logs and
# referrers never see a fragment. The script moves both into the form and takes them out of the address.
_TAKE_TOKEN = rx.Var(
    "(() => { const [t, a] = location.hash.slice(1).split(':'); if (!t) return; "
    "document.getElementById('token').value = t; if (a) { const e = decodeURIComponent(a); "
    "document.getElementById('username').value = e; document.getElementById('account').textContent = e; } "
    "history.replaceState(history.state, '', location.pathname + location.search); })"
)


class NativeForm(BaseHTML):
    """The plain form element: Reflex's own form always stops the browser from posting."""

    tag = "form"
    action: rx.Var[str]
    method: rx.Var[str]
    target: rx.Var[str]
    enc_type: rx.Var[str]
    on_submit: rx.EventHandler[no_args_event_spec]


def native_form(
    *children: rx.Component, action: Text, hidden: Mapping[str, Text] | None = None, **attributes: Any
) -> rx.Component:
    """Post its fields to `action` with a full page load. `hidden` are values sent along unseen.

    A form whose answer may be a file has the `target` "_blank": this page stays as it is.
    """
    attributes.setdefault("method", "post")
    attributes.setdefault("class_name", "grid gap-5")
    if "target" not in attributes:
        attributes.setdefault("on_submit", rx.call_function(_MARK_BUSY))
    unseen = [rx.el.input(type="hidden", name=name, value=value) for name, value in (hidden or {}).items()]
    return NativeForm.create(*unseen, *children, action=action, **attributes)


def token_from_link(email: Text = "") -> rx.Component:
    """Send the token of the mailed link that opened this page along, as "token", and show whose account it opens.

    `email` is known where the link was used before; password managers file what is typed under it.
    """
    known = rx.el.input(
        type="text",
        id="username",
        default_value=email,
        key=email,
        auto_complete="username",
        read_only=True,
        hidden=True,
    )
    shown = rx.el.strong(email, id="account", class_name="font-medium [overflow-wrap:anywhere] empty:hidden")
    return rx.fragment(
        known, shown, rx.el.input(type="hidden", name="token", id="token", on_mount=rx.call_function(_TAKE_TOKEN))
    )


# Brings the first field that is marked as wrong into view: on a phone it may stand a screen above the button.
_TO_WRONG = "(() => { document.querySelector('main [aria-invalid=true]')?.focus(); })"


def live_form(
    *children: rx.Component, on_submit: Any, errors: rx.Var[Any] | None = None, **attributes: Any
) -> rx.Component:
    """Hand its fields to a state handler as a dict, without a page load.

    With each new answer in `errors`, the messages by field, the focus goes to the first wrong field.
    """
    attributes.setdefault("class_name", "grid gap-5")
    watcher = [] if errors is None else [when_changed(errors, _TO_WRONG)]
    return rx.el.form(*watcher, *children, on_submit=on_submit, **attributes)


def form_actions(*children: rx.Component) -> rx.Component:
    """Set a form's buttons in one line, full width on a phone."""
    return rx.el.div(*children, class_name="flex flex-col gap-3 pt-1 sm:flex-row sm:items-center")
