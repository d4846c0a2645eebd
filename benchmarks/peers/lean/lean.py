"""The least a live page can be: native elements, one event, no toaster, no overlay, no guard."""

import reflex as rx
from reflex.app import default_error_boundary


class Idle(rx.State):
    """One handler that does nothing but answer."""

    answer: str = ""

    @rx.event
    def touch(self):
        """Set what is set already: only a changed or touched field makes the framework answer at all."""
        self.answer = ""


def index() -> rx.Component:
    """Show a heading and what the handler answered."""
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
