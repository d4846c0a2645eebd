"""Links: inside the portal without a reload, across its edge as a full page load."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A
from reflex_components_core.react_router.dom import ReactRouterLink

from portal_app.components.condition import Content, Text


def link(*content: Content, href: Text, reload: bool = False, **attributes: Any) -> rx.Component:
    """Link to a page. `reload` loads it in full: public pages, /auth pages, the API and other sites need that."""
    attributes.setdefault("class_name", "link")
    if reload:
        # Not rx.el.a: that is the router's link too, and stays in the page.
        return A.create(*content, href=href, **attributes)
    return ReactRouterLink.create(*content, to=href, **attributes)
