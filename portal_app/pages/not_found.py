"""The page for addresses that lead nowhere."""

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.frame import auth_frame
from portal_app.language import _, path_for
from portal_app.pages.page import page


@page("/404", title="Not found", is_public=True)
def not_found() -> rx.Component:
    """Lay the page out."""
    return auth_frame(
        rx.el.div(
            link_button(_("Go to your dashboard"), href=path_for("/dashboard"), reload=True),
            link_button(_("See our plans"), href=path_for("/"), variant="secondary", reload=True),
            class_name="flex flex-wrap gap-3",
        ),
        title=_("There is no page here"),
        lead=_("The address may be incomplete, or the page has moved."),
    )
