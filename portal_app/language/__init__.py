"""Translation of customer texts: English in the code, Japanese in the .po files of the folder `ja`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal, get_args

from portal_app.language.catalogue import read_catalogues
from portal_app.language.phrase import Phrase

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "en"

_spoken: ContextVar[Language] = ContextVar("spoken_language", default=DEFAULT)
_catalogues: dict[str, dict[str, str]] = {"ja": read_catalogues(Path(__file__).with_name("ja"))}


def _(text: str) -> str:
    """Return a text in the current language; without a translation it stays English."""
    texts = _catalogues.get(_spoken.get(), {})
    if isinstance(text, Phrase):
        return texts.get(text.template, text.template).format(**text.values)
    return texts.get(text, text)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Set the current language within a block of code."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> Language:
    """Return the current language."""
    return _spoken.get()


def path_for(route: str, language: Language | None = None) -> str:
    """Return the path of a route in a language (default: the current one): Japanese paths begin with /ja."""
    language = language or spoken()
    if language == DEFAULT:
        return route
    return f"/{language}" if route == "/" else f"/{language}{route}"


def parse_language(text: str | None) -> Language:
    """Return the language of a stored or received text, or the default."""
    return next((language for language in LANGUAGES if language == text), DEFAULT)
