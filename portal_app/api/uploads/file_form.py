"""A native form with one file, read within bounds and kept in memory: nothing lies on a disk in the clear."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from portal_app.api.http.problem import BadRequest, TooLarge, UnknownFormat
from portal_app.domain.uploads.upload import TooLargeUpload

# The form around the file: its boundaries, names and texts.
_AROUND = 64 * 1024


@dataclass(frozen=True, slots=True)
class FileForm:
    """The fields of a form by name, and its file; without one `content` is empty."""

    fields: dict[str, str]
    name: str = field(repr=False)
    content: bytes = field(repr=False)


async def read_file_form(request: Request, *, file: str, most: int) -> FileForm:
    """Return a multipart form whose file is in the field `file`. Raises UnknownFormat, TooLargeUpload, BadRequest."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnknownFormat(user_message="Send a form with a file (multipart/form-data).")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:20]) > most + _AROUND:
        raise TooLargeUpload(most)
    parser = MultiPartParser(request.headers, _within(request, most + _AROUND), max_files=1, max_fields=10)
    parser.spool_max_size = most + _AROUND
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise BadRequest("malformed form") from error
    found = form.get(file)
    content = await found.read() if isinstance(found, UploadFile) else b""
    name = (found.filename or "") if isinstance(found, UploadFile) else ""
    fields = {key: value for key, value in form.items() if isinstance(value, str)}
    await form.close()
    if len(content) > most:
        raise TooLargeUpload(most)
    return FileForm(fields, name, content)


async def _within(request: Request, most: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise TooLarge()
        yield chunk
