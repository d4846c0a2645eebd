"""A minimal page with state: native elements, one event, no toaster, no overlay, no guard."""

import reflex as rx
from reflex.app import default_error_boundary


class Idle(rx.State):
    """A state with one handler."""

    answer: str = ""

    @rx.event
    def touch(self):
        """Set a field to its current value, because the framework answers only if a field was set."""
        self.answer = ""


def index() -> rx.Component:
    """Show a heading and the field."""
    return rx.el.main(
        rx.el.h1("A page with nothing on it"),
        rx.el.button("Touch", type="button", on_click=Idle.touch),
        rx.el.p(Idle.answer),
    )


app = rx.App(
    html_lang="en",
    toaster=None,
    app_wraps={(55, "ErrorBoundary"): lambda _: default_error_boundary()},
)
app.add_page(index, route="/", title="Lean")
