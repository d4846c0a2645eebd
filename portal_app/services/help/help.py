"""Help articles, the search in them, and what is counted of both."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cached_property

import structlog
from sqlmodel import col, select

from portal_app.domain.errors import NotFound, PortalError
from portal_app.domain.help.article import Article, Hit
from portal_app.domain.help.search import HelpIndex, question_words
from portal_app.infra.clock import today
from portal_app.infra.database.database import Database
from portal_app.infra.help.library import read_articles
from portal_app.infra.settings import Settings
from portal_app.language import LANGUAGES, Language
from portal_app.models.help_count import HelpCount

# Of the words that found nothing: different ones kept of a day, of one question, and characters of one.
_MOST_OF_A_DAY, _MOST_OF_A_QUESTION, _LONGEST_WORD = 500, 5, 16
# How long a search waits until it is counted.
_DEADLINE_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class Help:
    """Answer from the articles; they are read once, when first asked for or by `prepare`."""

    def __init__(self, settings: Settings, database: Database, *, clock: Callable[[], date] = today) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock

    def prepare(self) -> None:
        """Read the articles and index them, so that no visitor waits for it."""
        for language in LANGUAGES:
            self.search(language, "")

    def articles(self, language: Language) -> Sequence[Article]:
        """Return all articles of a language."""
        return tuple(self._articles[language].values())

    def article(self, language: Language, slug: str) -> Article:
        """Return an article. Raises NotFound."""
        found = self._articles[language].get(slug)
        if found is None:
            raise NotFound("no such help article")
        return found

    def search(self, language: Language, query: str, *, most: int = 10) -> list[Hit]:
        """Return the articles that fit a question best, the best first."""
        return self._indexes[language].search(query, most=most)

    async def count_answer(self, slug: str, *, helped: bool) -> None:
        """Count whether an article answered a question. Raises NotFound, DatabaseUnavailable."""
        self.article("en", slug)
        async with self._database.unit_of_work() as session:
            kind = "helped" if helped else "not_helped"
            await HelpCount.add(session, self._clock(), kind, slug, most=_MOST_OF_A_DAY)

    async def count_missed(self, query: str) -> None:
        """Count the words of a search that found nothing, each by itself: nothing shows a whole question.

        Numbers are left out: they may be a telephone or card number.
        """
        words = [word for word in question_words(query) if not any(letter.isdigit() for letter in word)]
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS), self._database.unit_of_work() as session:
                for word in words[:_MOST_OF_A_QUESTION]:
                    await HelpCount.add(session, self._clock(), "missed", word[:_LONGEST_WORD], most=_MOST_OF_A_DAY)
        except (PortalError, TimeoutError) as error:
            # A search is answered whether or not it can be counted.
            _log.debug("help.not_counted", error=type(error).__name__)

    async def counts(self, *, days: int) -> list[tuple[str, str, int]]:
        """Return kind, word and count of the last days, the most frequent first, for operators."""
        since = self._clock() - timedelta(days=days)
        async with self._database.unit_of_work() as session:
            rows = (await session.exec(select(HelpCount).where(col(HelpCount.day) > since))).all()
        sums: dict[tuple[str, str], int] = {}
        for row in rows:
            sums[row.kind, row.word] = sums.get((row.kind, row.word), 0) + row.count
        return sorted(((kind, word, count) for (kind, word), count in sums.items()), key=lambda row: (row[0], -row[2]))

    @cached_property
    def _articles(self) -> dict[Language, dict[str, Article]]:
        return read_articles(self._settings)

    @cached_property
    def _indexes(self) -> dict[Language, HelpIndex]:
        return {language: HelpIndex(self.articles(language)) for language in LANGUAGES}
