"""The page decorator: registers a page in every language, with its title, its load handler and who may open it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import reflex as rx

from portal_app.language import DEFAULT, LANGUAGES, Language, _, path_for, speaking


@dataclass(frozen=True, slots=True)
class Page:
    """One page before it is built. `is_static` pages carry no framework and no state."""

    route: str
    title: str
    build: Callable[[], rx.Component]
    load: Any
    is_public: bool
    is_static: bool


PAGES: list[Page] = []


def page(
    route: str, *, title: str, load: Any = None, is_public: bool = False, is_static: bool = False
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Register a page under a route; pages need a session unless `is_public`."""

    def register(build: Callable[[], rx.Component]) -> Callable[[], rx.Component]:
        PAGES.append(Page(route, title, build, load, is_public or is_static, is_static))
        return build

    return register


def add_pages(app: rx.App) -> None:
    """Add every registered page in every language."""
    for registered in PAGES:
        for language in LANGUAGES:
            with speaking(language):
                title = _(registered.title)
            app.add_page(
                _in_language(registered.build, language),
                route=path_for(registered.route, language),
                title=title,
                on_load=registered.load,
            )


def static_routes() -> tuple[str, ...]:
    """Return the routes that carry no framework, in every language."""
    return tuple(path_for(p.route, language) for p in PAGES if p.is_static for language in LANGUAGES)


def _in_language(build: Callable[[], rx.Component], language: Language) -> Callable[[], rx.Component]:
    def built() -> rx.Component:
        with speaking(language):
            component = build()
        # The document's language is English: a page in another language marks its own.
        return component if language == DEFAULT else rx.el.div(component, lang=language)

    # Reflex writes the memoised parts of all pages of one module into one file. A module name of its own for each page
    # and language keeps the parts of other pages out of its chunk.
    built.__module__ = f"{build.__module__}.{build.__name__}_{language}"
    return built


def needs_session(path: str) -> bool:
    """Say whether a path is a page for signed-in customers."""
    plain = "/" + path.strip("/")
    return any(pattern.fullmatch(plain) for pattern in _protected())


@cache
def _protected() -> tuple[re.Pattern[str], ...]:
    routes = [path_for(p.route, language) for p in PAGES if not p.is_public for language in LANGUAGES]
    return tuple(re.compile(re.sub(r"\\\[\w+\\\]", r"[^/]+", re.escape(route))) for route in routes)
