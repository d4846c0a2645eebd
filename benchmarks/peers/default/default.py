"""A page with the framework's defaults: Radix themes, toaster, overlay and a little text."""

import reflex as rx


class Page(rx.State):
    """A page with state."""


def index() -> rx.Component:
    """Show a heading, a sentence and a button."""
    return rx.container(
        rx.color_mode.button(position="top-right"),
        rx.vstack(
            rx.heading("A page by default", size="9"),
            rx.text("Nothing here but what comes ", rx.code("without asking"), size="5"),
            rx.link(rx.button("Read on"), href="/"),
            spacing="5",
            justify="center",
            min_height="85vh",
        ),
    )


app = rx.App()
app.add_page(index, route="/")
