"""A REST call and its answer, free of the web server, so that composite requests can carry them too."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sandbox.salesforce.changes import Actor
from sandbox.salesforce.errors import SalesforceError


@dataclass(frozen=True)
class Call:
    """One call below /services/data/vXX.X: `path` holds the decoded segments after the version.

    `locked` says that the row it wants to write is held by somebody else; `blob` is the file of a multipart body.
    """

    method: str
    path: tuple[str, ...]
    version: str = "62.0"
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    actor: Actor = field(default_factory=Actor)
    locked: bool = False
    blob: BinaryIO | None = None

    @property
    def api_path(self) -> str:
        """The path of the API version called."""
        return f"/services/data/v{self.version}"

    def fields(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises SalesforceError when it is none."""
        if not isinstance(self.body, dict):
            raise SalesforceError("JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has none.")
        return self.body

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a yes-or-no query parameter."""
        return self.query.get(name, str(default)).lower() == "true"


@dataclass
class Answer:
    """What a call answers: status, a JSON body (None: empty; Content: a file) and headers beside the usual."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer]


def refused(error: SalesforceError) -> Answer:
    """Return the answer that tells an error."""
    return Answer(error.status, error.as_body())


def parsed_json(raw: bytes) -> Any:
    """Return a request body as JSON, None when empty. Raises SalesforceError."""
    if not raw.strip():
        return None
    try:
        value = json.loads(raw, parse_constant=_no_number)
        # Half a surrogate pair is no text: neither the store nor an answer could carry it.
        json.dumps(value, ensure_ascii=False).encode()
        return value
    except (RecursionError, ValueError) as error:
        raise SalesforceError("JSON_PARSER_ERROR", f"Unexpected character in the request body: {error}") from error


def attributes_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return the `attributes` of a row in a request, empty without any. Raises SalesforceError when they are none."""
    given = record.get("attributes") or {}
    if not isinstance(given, dict):
        raise SalesforceError("JSON_PARSER_ERROR", f"attributes must be an object, not {given!r}")
    return given


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
