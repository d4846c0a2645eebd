"""One request for a public page."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Scope

from portal_app.language import Language


@dataclass(frozen=True, slots=True)
class Visit:
    """What is asked for. `path` is the whole path, `route` the same without its language."""

    path: str
    route: str
    language: Language
    query: Mapping[str, str]
    scope: Scope
