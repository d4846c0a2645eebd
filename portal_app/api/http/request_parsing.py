"""What a request says: its body within bounds, where it comes from, which language and form of answer it wants."""

import ipaddress
import re
import secrets
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import HTTPConnection, Request

from portal_app.api.http.problem import BadRequest, TooLarge, UnknownFormat
from portal_app.domain.errors import InvalidInput
from portal_app.domain.identity.account import Origin
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.settings import Settings
from portal_app.language import DEFAULT, LANGUAGES, Language

DEVICE = "portal.device"
LARGEST_BODY = 64 * 1024
_BODY = "portal.body"
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:]*)(?::\d+)?", re.ASCII)
_UNKNOWN_NETWORK = "unknown"
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_WORDS = {"missing": "Fill this in.", "string_too_long": "This is too long.", "extra_forbidden": "Not expected here."}


class Body(BaseModel):
    """What a route takes, as JSON or as a form. Unknown members of JSON are refused, those of forms left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Entries = TypeVar("Entries", bound=Body)


def takes(model: type[Body], *, form: bool = True) -> dict[str, Any]:
    """Return what OpenAPI is told of a route's body."""
    content = {"schema": model.model_json_schema()}
    kinds = {_JSON: content, _FORM: content} if form else {_JSON: content}
    return {"requestBody": {"required": True, "content": kinds}}


async def read(request: Request, model: type[Entries], *, form: bool = True) -> Entries:
    """Return the checked body. Raises InvalidInput naming the fields, TooLarge, UnknownFormat."""
    if not form and not is_json(request):
        raise UnknownFormat(user_message="Send JSON.")
    body = await raw_body(request)
    try:
        if wants_json(request):
            return model.model_validate_json(body or b"{}")
        return model.model_validate(_known_only(model, _form(request, body)))
    except ValidationError as error:
        raise InvalidInput(_fields(error)) from error


async def raw_body(request: Request) -> bytes:
    """Return the body as it came, as often as asked. Raises TooLarge above 64 KiB, without reading on."""
    if _BODY in request.scope:
        return bytes(request.scope[_BODY])
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise TooLarge()
        chunks.append(chunk)
    request.scope[_BODY] = b"".join(chunks)
    return bytes(request.scope[_BODY])


async def form_field(request: Request, name: str) -> str:
    """Return one field of a native form, or an empty text. Raises TooLarge, BadRequest."""
    if _content_type(request) != _FORM:
        return ""
    return _form(request, await raw_body(request)).get(name, "")


def is_json(request: Request) -> bool:
    """Say whether a body is told to be JSON."""
    return _content_type(request) == _JSON


def wants_json(request: Request) -> bool:
    """Say whether the caller is a program: it sent JSON, or no body and does not ask for a page."""
    kind = _content_type(request)
    return kind == _JSON or (not kind and "text/html" not in request.headers.get("accept", ""))


def address_of(connection: HTTPConnection, settings: Settings) -> str:
    """Return the network address of a request or socket, as far as proxies are trusted to tell it."""
    address = connection.client.host if connection.client else ""
    trusted = settings.portal_trusted_proxies
    if trusted > 0:
        lines = connection.headers.getlist("x-forwarded-for")
        forwarded = [part.strip() for line in lines for part in line.split(",")]
        # Everything further left was written by whoever called the outermost proxy.
        address = forwarded[-trusted] if len(forwarded) >= trusted else address
    return address


def network_of(address: str) -> str:
    """Return the network that limits are counted for: an IPv4 address, the /64 of an IPv6 one, or "unknown".

    A household has a /64 to itself, and any of its 2^64 addresses is free to take. Ports, brackets and zones are left
    out; an IPv4 address written as IPv6 is the IPv4 address.
    """
    found = _WITH_PORT.fullmatch(address.strip())
    bare = (found[1] or found[2] or "") if found else address.strip()
    try:
        known = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return _UNKNOWN_NETWORK
    if isinstance(known, ipaddress.IPv6Address):
        known = known.ipv4_mapped or known
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(ipaddress.ip_network((known, 64), strict=False))


def origin(request: Request, settings: Settings) -> Origin:
    """Return where a request comes from; forwarded addresses count only as far as proxies are trusted."""
    address = address_of(request, settings)
    # A browser is known again by a random mark; `signed_in` gives the new one to a browser that has none.
    device = request.cookies.get(cookie_name(settings, "device"), "")[:100] or secrets.token_urlsafe(32)
    request.scope[DEVICE] = device
    return Origin(address[:64], request.headers.get("user-agent", "")[:200], language(request), device)


def language(request: Request, target: str = "") -> Language:
    """Return the language of the page a form stood on, from where it leads to or where it was."""
    for path in (target, page_of(request).path):
        for each in LANGUAGES:
            if path == f"/{each}" or path.startswith(f"/{each}/"):
                return each
    return DEFAULT


def page_of(request: Request) -> SplitResult:
    """Return the address of the page a form stood on; an empty one where the browser does not tell, or nonsense."""
    try:
        return urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return urlsplit("")


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _form(request: Request, body: bytes) -> dict[str, str]:
    if _content_type(request) not in (_FORM, ""):
        raise UnknownFormat()
    try:
        return dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=100, errors="replace"))
    except ValueError as error:
        raise BadRequest("too many fields") from error


def _known_only(model: type[Body], form: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in form.items() if name in model.model_fields}


def _fields(error: ValidationError) -> dict[str, str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return {str(each["loc"][-1] if each["loc"] else "body"): _WORDS.get(each["type"], "Check this.") for each in found}
