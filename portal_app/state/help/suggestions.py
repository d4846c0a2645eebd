"""Help articles that fit what is typed as the subject of a question. They never hold up sending it."""

from dataclasses import dataclass

import reflex as rx

from portal_app.domain.help.search import LONGEST_QUERY
from portal_app.language import path_for
from portal_app.state.shell.error_reporting import language_of
from portal_app.wiring.portal import portal

_SHORTEST, _MOST = 2, 3


@dataclass(frozen=True)
class Suggestion:
    """One article."""

    title: str
    summary: str
    href: str


class HelpSuggestions(rx.State):
    """The articles that fit best, at most three."""

    found: list[Suggestion] = []

    @rx.event
    async def suggest(self, typed: str):
        """Look for articles. The page waits with it until somebody stops typing."""
        query, language = str(typed)[:LONGEST_QUERY].strip(), language_of(self)
        hits = portal().help.help.search(language, query, most=_MOST) if len(query) >= _SHORTEST else []
        self.found = [
            Suggestion(hit.article.title, hit.article.summary, path_for(f"/help/{hit.article.slug}", language))
            for hit in hits
        ]

    @rx.event
    async def clear(self):
        """Begin without suggestions."""
        self.found = []
