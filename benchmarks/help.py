"""The search of the help over two hundred pages in each language."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.stage import Stage
from benchmarks.table import Row, within
from portal_app.domain.help.article import Article
from portal_app.domain.help.search import HelpIndex
from portal_app.infra.help.library import read_articles
from portal_app.infra.settings import Settings

PAGES, TURNS = 200, 20
LONGEST_MS, LONGEST_START_MS = 5.0, 1000.0
QUESTIONS = {
    "en": [
        "apn settings iphone",
        "my credit card expired",
        "cancel my contract",
        "wifi is slow in the evening",
        "zzqx",
    ],
    "ja": [
        "スマホがネットにつながらない",
        "解約したい",
        "領収書をダウンロードしたい",
        "工事の立ち会いは必要ですか",
        "パスワード",
    ],
}


def measure(stage: Stage) -> list[Row]:
    """Build both indexes, and ask every question many times."""
    del stage
    articles = read_articles(Settings(portal_env="development"))
    many = {language: list(_many(list(found.values()))) for language, found in articles.items()}
    began = time.perf_counter()
    indexes = {language: HelpIndex(found) for language, found in many.items()}
    built = (time.perf_counter() - began) * 1000
    took: list[float] = []
    for _ in range(TURNS):
        for language, index in indexes.items():
            for question in QUESTIONS[language]:
                began = time.perf_counter()
                index.search(question)
                took.append((time.perf_counter() - began) * 1000)
    slowest = sorted(took)[int(len(took) * 0.95)]
    return [
        within(f"help: search of {PAGES} pages x 2, p95", slowest, "ms", limit=LONGEST_MS),
        within(f"help: index of {PAGES} pages x 2", built, "ms", limit=LONGEST_START_MS),
    ]


def _many(articles: Sequence[Article]) -> Iterator[Article]:
    """Yield as many articles as are measured, each with sentences of several."""
    chance = random.Random(1)
    lines = [line for article in articles for line in article.text.splitlines()]
    for number in range(PAGES):
        text = "\n".join(chance.choices(lines, k=len(lines) // len(articles)))
        yield replace(chance.choice(articles), slug=f"page-{number}", text=text)
