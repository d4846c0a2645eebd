"""What only a script can do in the browser with credentials: assets/credentials.js, fetched at the first use."""

import json

import reflex as rx
from reflex.event import EventSpec

from portal_app.components.condition import Text
from portal_app.language import _


def credentials(function: str, *arguments: str) -> EventSpec:
    """Return the handler that calls a function of the script; it replaces what the browser would do itself."""
    return rx.call_function(rx.Var(f"(() => {{ {_call(function, *arguments)} }})")).prevent_default


def credentials_call(function: str, *arguments: str) -> str:
    """Return the same for `when_changed`: it calls the function for every value that says something."""
    return f"((value) => {{ if (value) {{ {_call(function, *arguments)} }} }})"


def username_for_password(email: Text) -> rx.Component:
    """Tell password managers whose password the form asks for; the field is hidden and never sent."""
    return rx.el.input(type="text", value=email, auto_complete="username", read_only=True, hidden=True)


def account_name(email: Text) -> rx.Component:
    """Show the e-mail address of the account on a line of its own."""
    return rx.el.strong(email, class_name="mt-1 block min-h-6 font-medium text-ink [overflow-wrap:anywhere]")


def credentials_problem(place: str) -> rx.Component:
    """Return the empty line in which the script reports a failure."""
    return rx.el.p(
        id=f"{place}-problem",
        role="alert",
        custom_attrs={
            "data-stopped": _("The passkey was not used. Try again, or choose another way."),
            "data-unsupported": _("This browser cannot use passkeys."),
        },
        class_name="text-small text-problem empty:hidden",
    )


def _call(function: str, *arguments: str) -> str:
    given = ", ".join(json.dumps(argument) for argument in arguments)
    # The address is made at run time, so that the bundler leaves the file out of every page's bundle.
    return (
        "const at = new URL('/credentials.js', window.location.href).href; "
        f"import(/* @vite-ignore */ at).then((script) => script.{function}({given}));"
    )
