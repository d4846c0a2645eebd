"""The OpenAPI document: what FastAPI knows of the routes, and what it cannot know."""

from typing import Any

from fastapi import FastAPI

from portal_app.api.http.idempotency import HEADER
from portal_app.api.http.responses import AGE

_METHODS = ("get", "post", "put", "patch", "delete")
Described = dict[str, Any]


class PortalAPI(FastAPI):
    """The API; `cookie` is the name of the cookie that holds the access token."""

    def __init__(self, *, cookie: str, **options: Any) -> None:
        super().__init__(**options)
        self._cookie = cookie

    def openapi(self) -> Described:
        """Return the document, made at the first call."""
        if self.openapi_schema is None:
            document = super().openapi()
            for scheme in document["components"]["securitySchemes"].values():
                if scheme.get("in") == "cookie":
                    scheme["name"] = self._cookie
            for operation in _operations(document):
                _require_key(operation)
                _share_definitions(operation, document["components"]["schemas"])
                _tell_age(operation, document["components"]["schemas"])
        return self.openapi_schema or {}


def _operations(document: Described) -> list[Described]:
    return [methods[method] for methods in document["paths"].values() for method in methods if method in _METHODS]


def _require_key(operation: Described) -> None:
    """Mark the key as required: the code takes it from a form's field too, and therefore calls it optional."""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == HEADER:
            parameter["required"] = True
            parameter["schema"] = {"type": "string"} | {
                name: value for name, value in parameter["schema"].items() if name not in ("anyOf", "title")
            }


def _share_definitions(operation: Described, shared: Described) -> None:
    """Move the definitions of a body to the place that its references name."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        shared.update(content["schema"].pop("$defs", {}))


def _tell_age(operation: Described, shared: Described) -> None:
    """Document the header of every response that shows saved data."""
    for response in operation["responses"].values():
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        known = shared.get(schema.get("$ref", "").rpartition("/")[2], {})
        if "as_of" in known.get("properties", {}):
            response.setdefault("headers", {}).update(AGE)
