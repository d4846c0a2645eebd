"""What only a script can do in the browser with credentials: assets/credentials.js, fetched at the first use."""

import json

import reflex as rx
from reflex.event import EventSpec


def credentials(function: str, *arguments: str) -> EventSpec:
    """Return the handler that calls a function of the script; it replaces what the browser would do itself."""
    given = ", ".join(json.dumps(argument) for argument in arguments)
    # The address is made at run time, so that the bundler leaves the file where it is: out of every page's weight.
    call = (
        "(() => { const at = new URL('/credentials.js', window.location.href).href; "
        f"import(/* @vite-ignore */ at).then((script) => script.{function}({given})); }})"
    )
    return rx.call_function(rx.Var(call)).prevent_default
