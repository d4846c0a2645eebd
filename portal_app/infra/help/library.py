"""Reads the help articles of `articles/<language>/<slug>.md` and fills in what is a setting."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from portal_app.domain.help.article import Article
from portal_app.infra.help.markdown import plain_text, render
from portal_app.infra.settings import Settings
from portal_app.language import LANGUAGES, Language, speaking
from portal_app.language.format import duration

FOLDER = Path(__file__).with_name("articles")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_HEAD = re.compile(r"\+\+\+\n(.*?)\n\+\+\+\n(.*)", re.S)
_PLACE = re.compile(r"\{([a-z_]+)\}")
_NO_APN = {"en": "on the card that came with your SIM", "ja": "SIMに同封の書面に記載"}
_ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}
_BLANK = {"en": "leave blank", "ja": "空欄のまま"}


class FlawedArticle(ValueError):
    """An article that cannot be shown: its file and what is wrong with it."""


def read_articles(settings: Settings) -> dict[Language, dict[str, Article]]:
    """Return all articles by language and slug, in the order of their titles. Raises FlawedArticle."""
    return {language: _of_language(language, _values(settings, language)) for language in LANGUAGES}


def article_of(text: str, *, slug: str, language: Language, values: Mapping[str, str]) -> Article:
    """Return the article of a file's text. Raises FlawedArticle."""
    parts = _HEAD.fullmatch(text)
    if parts is None or not SLUG.fullmatch(slug):
        raise FlawedArticle(f"{language}/{slug}: begin with a head between two lines of +++")
    try:
        head = tomllib.loads(parts[1])
        body = _filled(parts[2], values)
        return Article(
            slug=slug,
            language=language,
            title=_filled(head["title"], values),
            summary=_filled(head["summary"], values),
            keywords=tuple(head["keywords"]),
            services=tuple(head["services"]),
            updated=head["updated"],
            html=render(body, language),
            text=plain_text(body),
        )
    except (KeyError, ValueError) as error:
        raise FlawedArticle(f"{language}/{slug}: {type(error).__name__} {error}") from error


def _of_language(language: Language, values: Mapping[str, str]) -> dict[str, Article]:
    files = sorted((FOLDER / language).glob("*.md"))
    found = [
        article_of(file.read_text(encoding="utf-8"), slug=file.stem, language=language, values=values) for file in files
    ]
    return {article.slug: article for article in found}


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: values[place[1]], text)


def _values(settings: Settings, language: Language) -> dict[str, str]:
    with speaking(language):
        return {
            "apn": settings.portal_sim_apn or _NO_APN[language],
            "apn_user": settings.portal_sim_apn_user or _BLANK[language],
            "apn_password": settings.portal_sim_apn_password or _BLANK[language],
            "cut_off_day": _day_of_month(settings.portal_cancellation_cut_off, language),
            "due_notice_days": str(settings.portal_due_notice_days),
            "lock_minutes": duration(settings.freebit_lock_seconds),
            "mnp_days": str(settings.mnp_min_days_left),
            "reset_minutes": duration(settings.portal_reset_seconds),
            "tax_percent": str(settings.tax_percent),
        }


def _day_of_month(day: int, language: Language) -> str:
    return f"{day}日" if language == "ja" else f"{day}{_ENDINGS.get(day, 'th')}"
