"""What a request says: its body within bounds, and which form of answer it wants."""

from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from starlette.requests import Request

from portal_app.api.http.problem import BadRequest, TooLarge, UnknownFormat
from portal_app.api.http.request_context import context_of
from portal_app.domain.errors import InvalidInput

LARGEST_BODY = 64 * 1024
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_JSON = "application/json"
_WORDS = {"missing": "Fill this in.", "string_too_long": "This is too long.", "extra_forbidden": "Not expected here."}


class Body(BaseModel):
    """What a route takes, as JSON or as a form. Unknown members of JSON are refused, those of forms left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Entries = TypeVar("Entries", bound=Body)


def _in_digits(text: Any) -> Any:
    if isinstance(text, str) and not (text.isascii() and text.isdecimal()):
        raise ValueError("not a whole number")
    return text


# A number of a query, in digits alone: by itself pydantic reads "1_0", " 1" and "1.0" too.
Number = Annotated[int, BeforeValidator(_in_digits)]


def takes(model: type[Body], *, form: bool = True) -> dict[str, Any]:
    """Return what OpenAPI is told of a route's body.

    A form may hold anything: what is wrong with it is told on the page that its response leads to.
    """
    kinds = {_JSON: {"schema": model.model_json_schema(ref_template="#/components/schemas/{model}")}}
    if form:
        fields = {name: {"type": "string"} for name in model.model_fields}
        kinds[_FORM] = {"schema": {"type": "object", "properties": fields}}
    is_required = any(field.is_required() for field in model.model_fields.values())
    return {"requestBody": {"required": is_required, "content": kinds}}


async def read(request: Request, model: type[Entries], *, form: bool = True) -> Entries:
    """Return the checked body. Raises InvalidInput naming the fields, TooLarge, UnknownFormat."""
    if not form and not is_json(request):
        raise UnknownFormat(user_message="Send JSON.")
    if _content_type(request) not in (_JSON, _FORM, ""):
        raise UnknownFormat()
    body = await raw_body(request)
    try:
        if wants_json(request):
            return model.model_validate_json(body or b"{}", strict=True)
        return model.model_validate(_known_only(model, _form(body)))
    except ValidationError as error:
        raise InvalidInput(_fields(error)) from error


async def raw_body(request: Request) -> bytes:
    """Return the body as it came, as often as asked. Raises TooLarge above 64 KiB, without reading on."""
    context = context_of(request.scope)
    if context.body is not None:
        return context.body
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise TooLarge()
        chunks.append(chunk)
    context.body = b"".join(chunks)
    return context.body


async def form_field(request: Request, name: str) -> str:
    """Return one field of a native form, or an empty text. Raises TooLarge, BadRequest."""
    if _content_type(request) != _FORM:
        return ""
    return _form(await raw_body(request)).get(name, "")


def is_json(request: Request) -> bool:
    """Say whether a body is told to be JSON."""
    return _content_type(request) == _JSON


def is_multipart(request: Request) -> bool:
    """Say whether a body is told to be a form with files."""
    return _content_type(request) == _MULTIPART


def wants_json(request: Request) -> bool:
    """Say whether the caller is a program: it sent no form, and no file or empty body that asks for a page."""
    kind = _content_type(request)
    return kind != _FORM and (kind not in ("", _MULTIPART) or "text/html" not in request.headers.get("accept", ""))


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=100, errors="replace"))
    except ValueError as error:
        raise BadRequest("too many fields") from error


def _known_only(model: type[Body], form: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in form.items() if name in model.model_fields}


def _fields(error: ValidationError) -> dict[str, str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return {str(each["loc"][-1] if each["loc"] else "body"): _WORDS.get(each["type"], "Check this.") for each in found}
