"""The link from a public page to the same page in the other language."""

import reflex as rx

from portal_app.components.link import link
from portal_app.language import Language, path_for, spoken


def other_language(route: str) -> rx.Component:
    """Link to the page of a route in the language that is not spoken here."""
    other: Language = "en" if spoken() == "ja" else "ja"
    return to_language(other, path_for(route, other))


def to_language(other: Language, href: str) -> rx.Component:
    """Name a language in its own words, as the link to a page in it."""
    words = {"en": "English", "ja": "日本語"}[other]
    return link(words, href=href, reload=True, lang=other, class_name="link no-print text-small")
