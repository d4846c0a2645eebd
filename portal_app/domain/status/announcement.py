"""Announcements of operators: outages and maintenance, in both languages, for some services and areas."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.prefecture import ROMANISED
from portal_app.language import LANGUAGES, Language

AnnouncementKind = Literal["outage", "maintenance"]
Stage = Literal["planned", "current", "over"]
# What an announcement may be about; those after the third concern every customer.
ServiceName = Literal["internet", "sim", "vpn", "billing", "portal"]
SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)
_OF_ALL: frozenset[str] = frozenset({"billing", "portal"})
SHOWN_FOR = timedelta(days=90)
_LONGEST_TITLE, _LONGEST_WORDS = 120, 2000


@dataclass(frozen=True, slots=True)
class Words:
    """A title and what it means, in one language."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Update:
    """What was added later, by language."""

    at: datetime
    text: dict[str, str]


@dataclass(frozen=True, slots=True)
class Announcement:
    """One announcement. `until` is when it is expected to end, `ended_at` when it did.

    `services` empty means all of them, `areas` empty all of Japan; areas are prefectures in Japanese script.
    """

    id: UUID
    kind: AnnouncementKind
    words: dict[str, Words]
    services: tuple[str, ...]
    areas: tuple[str, ...]
    begins_at: datetime
    until: datetime | None
    ended_at: datetime | None
    updates: tuple[Update, ...] = ()

    def stage(self, at: datetime) -> Stage:
        """Return whether it is still to come, under way or over."""
        if self.ended_at is not None:
            return "over"
        return "planned" if self.begins_at > at else "current"

    def is_for(self, categories: Collection[str], prefecture: str) -> bool:
        """Return whether it concerns a customer with such services. An unknown prefecture counts as concerned."""
        is_service = not self.services or any(name in categories or name in _OF_ALL for name in self.services)
        return is_service and (not self.areas or not prefecture or prefecture in self.areas)

    def in_language(self, language: Language) -> Words:
        """Return its words in a language."""
        return self.words[language]


@dataclass(frozen=True, slots=True)
class NewAnnouncement:
    """What an operator wants to announce."""

    kind: AnnouncementKind
    words: dict[str, Words]
    services: tuple[str, ...]
    areas: tuple[str, ...]
    begins_at: datetime
    until: datetime | None

    @classmethod
    def parse(
        cls,
        *,
        kind: str,
        words: dict[str, Words],
        services: str,
        areas: str,
        begins_at: datetime,
        until: datetime | None,
    ) -> "NewAnnouncement":
        """Parse what was typed; services and areas are comma separated. Raises InvalidInput with what is wrong."""
        wrong: dict[str, str] = {}
        known_kind = next((each for each in get_args(AnnouncementKind) if each == kind), None)
        if known_kind is None:
            wrong["kind"] = f"must be one of {', '.join(get_args(AnnouncementKind))}"
        chosen = _listed(services)
        if unknown := sorted(set(chosen) - set(SERVICES)):
            wrong["services"] = f"unknown: {', '.join(unknown)}; there are {', '.join(SERVICES)}"
        prefectures, strange = _prefectures(_listed(areas))
        if strange:
            wrong["areas"] = f"no prefectures: {', '.join(strange)}"
        wrong |= _wrong_words(words)
        if until is not None and until <= begins_at:
            wrong["until"] = "must be later than its begin"
        if known_kind is None or wrong:
            raise InvalidInput(wrong)
        return cls(known_kind, words, chosen, prefectures, begins_at, until)


def parse_words(text: dict[str, str]) -> dict[str, str]:
    """Return the words of an update in every language. Raises InvalidInput."""
    found: dict[str, str] = {language: text.get(language, "").strip() for language in LANGUAGES}
    wrong = {language: "must be written" for language, words in found.items() if not words}
    wrong |= {language: "is too long" for language, words in found.items() if len(words) > _LONGEST_WORDS}
    if wrong:
        raise InvalidInput(wrong)
    return found


def _wrong_words(words: dict[str, Words]) -> dict[str, str]:
    wrong = {}
    for language in LANGUAGES:
        given = words.get(language)
        if given is None or not given.title.strip() or not given.text.strip():
            wrong[f"words {language}"] = "must be written"
        elif len(given.title) > _LONGEST_TITLE or len(given.text) > _LONGEST_WORDS:
            wrong[f"words {language}"] = f"at most {_LONGEST_TITLE} characters of title and {_LONGEST_WORDS} of text"
    return wrong


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.replace("、", ",").split(",") if part.strip()))


def _prefectures(areas: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    """Return areas as prefectures in Japanese script, and those that are not one."""
    latin = {romanised.casefold(): japanese for japanese, romanised in ROMANISED.items()}
    found: list[str] = []
    strange: list[str] = []
    for area in areas:
        name = area if area in ROMANISED else latin.get(area.casefold(), "")
        (found if name else strange).append(name or area)
    return tuple(found), strange
