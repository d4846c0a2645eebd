"""A help article in one language, and what a search found."""

from dataclasses import dataclass, field
from datetime import date

from portal_app.language import Language


@dataclass(frozen=True, slots=True)
class Article:
    """One article. `html` is the rendered body, `text` the same without marks, for the search.

    `services` are the categories it is about: internet, sim, vpn; empty for all.
    """

    slug: str
    language: Language
    title: str
    summary: str
    keywords: tuple[str, ...]
    services: tuple[str, ...]
    updated: date
    html: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found, and the sentence of it that fits the question best."""

    article: Article
    snippet: str
