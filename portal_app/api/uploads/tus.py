"""What the tus protocol says in headers (tus 1.0.0: core, creation, termination, expiration)."""

import base64
import binascii
from datetime import datetime
from email.utils import format_datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.problem import BadRequest, problem
from portal_app.domain.errors import InvalidInput, PortalError
from portal_app.domain.uploads.upload import Upload, WrongOffset
from portal_app.language import _
from portal_app.language.phrase import Phrase

VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
RESUMABLE = {"Tus-Resumable": VERSION}
_LONGEST_METADATA, _MOST_DIGITS = 4096, 15
# The problem type of the draft on resumable uploads for HTTP, which other servers answer too.
_MISMATCH = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"


class UnknownVersion(PortalError):
    """The client speaks another version of the protocol."""

    code = "unknown_tus_version"
    status = 412
    user_message = "Send Tus-Resumable: 1.0.0."


def require_version(request: Request) -> None:
    """Raise UnknownVersion for a client that does not speak this version."""
    if request.headers.get("tus-resumable") != VERSION:
        raise UnknownVersion()


def length_of(request: Request) -> int:
    """Return Upload-Length. Raises BadRequest without a number."""
    return _number(request, "upload-length")


def offset_of(request: Request) -> int:
    """Return Upload-Offset. Raises BadRequest without a number."""
    return _number(request, "upload-offset")


def metadata_of(request: Request) -> dict[str, str]:
    """Return Upload-Metadata: keys with base64 values. Raises BadRequest for what is none."""
    told = request.headers.get("upload-metadata", "")
    found: dict[str, str] = {}
    if len(told) > _LONGEST_METADATA:
        raise BadRequest("metadata too long")
    for pair in filter(None, (part.strip() for part in told.split(","))):
        key, __, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
        except binascii.Error as error:
            raise BadRequest("malformed metadata") from error
    return found


def state_of(upload: Upload) -> dict[str, str]:
    """Return the headers that tell how far an upload is."""
    return {
        **RESUMABLE,
        "Upload-Offset": str(upload.received),
        "Upload-Length": str(upload.size),
        "Cache-Control": "no-store",
        **expiry_of(upload.expires_at),
    }


def expiry_of(moment: datetime) -> dict[str, str]:
    """Return the header that tells until when an upload can be finished and sent."""
    return {"Upload-Expires": format_datetime(moment, usegmt=True)}


def refused(error: PortalError) -> Response:
    """Return a problem as the protocol wants it: with its version, and the right offset where that was wrong."""
    # A page's own script shows the words as they come.
    error.user_message = _(error.user_message)
    if isinstance(error, InvalidInput):
        error.fields = {name: _(text) for name, text in error.fields.items()}
    answer = problem(error)
    if isinstance(error, WrongOffset):
        told = {"type": _MISMATCH, "expected-offset": error.expected, "provided-offset": error.provided}
        headers = {"Upload-Offset": str(error.expected), "Cache-Control": "no-store"}
        answer = Response(
            orjson.dumps(orjson.loads(answer.body) | told), error.status, headers, media_type=answer.media_type
        )
    answer.headers["Tus-Resumable"] = VERSION
    answer.headers["Tus-Version"] = VERSION
    return answer


def _number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise BadRequest(f"no {name}", user_message=Phrase("Send {name} as a number.", name=name.title()))
    return int(text)
