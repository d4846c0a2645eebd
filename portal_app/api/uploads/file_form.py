"""A native form with one file, which is handed on while it arrives: nothing of it lies in memory or on a disk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from portal_app.api.http.problem import BadRequest, UnknownFormat
from portal_app.domain.uploads.upload import FormFile, TooLargeUpload
from portal_app.wiring.portal import portal

# The form around the file: its boundaries, names and texts.
_AROUND = 64 * 1024
_MOST_PARTS = 11
_NO_FORM = "Send a form with a file (multipart/form-data)."


@dataclass(slots=True)
class FileForm:
    """The fields of a form by name, and its file as an upload, None without one."""

    fields: dict[str, str] = field(default_factory=dict)
    file: FormFile | None = None


@dataclass(frozen=True, slots=True)
class FileField:
    """The field that brings a file: what its upload belongs to, and how many bytes it may have."""

    name: str
    draft: str
    most: int


@asynccontextmanager
async def file_form(request: Request, user_id: UUID, wanted: FileField) -> AsyncIterator[FileForm]:
    """Read a multipart form, storing its file while it arrives; one that is not submitted by the end is removed.

    Raises UnknownFormat, TooLargeUpload, BadRequest, and what an upload raises.
    """
    form = FileForm()
    try:
        await _read(request, user_id, wanted, form)
        yield form
    finally:
        if form.file is not None:
            await portal().uploads.form_files.remove(user_id, form.file.upload_id)


async def _read(request: Request, user_id: UUID, wanted: FileField, form: FileForm) -> None:
    events = _events(request, wanted.most)
    async for each in events:
        if each.kind == "begin" and each.name == wanted.name and each.is_file:
            content = _content(events)
            first = await anext(content, b"")
            if first:
                if form.file is not None:
                    raise BadRequest("more than one file")
                form.file = await portal().uploads.form_files.take(
                    user_id, _led_by(first, content), name=each.text, draft=wanted.draft, most=wanted.most
                )
        elif each.kind == "begin" and not each.is_file:
            whole = b"".join([part async for part in _content(events)])
            form.fields[each.name] = whole.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Event:
    """What the parser met: the beginning of a part with its names, some of its content, or its end."""

    kind: Literal["begin", "data", "end"]
    name: str = ""
    text: str = ""
    is_file: bool = False
    data: bytes = b""


async def _events(request: Request, most: int) -> AsyncIterator[_Event]:
    content_type = request.headers.get("content-type", "")
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        raise UnknownFormat(user_message=_NO_FORM)
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:20]) > most + _AROUND:
        raise TooLargeUpload(most)
    reader, size = _Reader(), 0
    try:
        parser = MultipartParser(options.get(b"boundary", b""), reader.callbacks())
        async for chunk in request.stream():
            size += len(chunk)
            if size > most + _AROUND:
                raise TooLargeUpload(most)
            parser.write(chunk)
            for each in reader.drain(_AROUND):
                yield each
        parser.finalize()
    except FormParserError as error:
        raise BadRequest("malformed form") from error
    if not reader.has_ended:
        raise BadRequest("malformed form")


async def _content(events: AsyncIterator[_Event]) -> AsyncIterator[bytes]:
    """Yield the content of the part that has begun."""
    async for each in events:
        if each.kind == "end":
            return
        yield each.data


async def _led_by(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


class _Reader:
    """Turns the parser's calls into events."""

    def __init__(self) -> None:
        self._events: list[_Event] = []
        self._name, self._value, self._disposition = b"", b"", b""
        self._is_file = False
        self._parts = self._texts = 0
        self.has_ended = False

    def callbacks(self) -> Any:
        """Return what the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": lambda: self._events.append(_Event("end")),
            "on_end": self._end,
        }

    def drain(self, most_text: int) -> list[_Event]:
        """Return the events since the last call. Raises BadRequest for a form of too many parts or texts."""
        if self._parts > _MOST_PARTS or self._texts > most_text:
            raise BadRequest("form too large")
        met, self._events = self._events, []
        return met

    def _begin(self) -> None:
        self._parts, self._disposition = self._parts + 1, b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name, file = options.get(b"name"), options.get(b"filename")
        if name is None:
            raise FormParserError("a part has no name")
        self._is_file = file is not None
        told = (text.decode("utf-8", "replace") for text in (name, file or b""))
        self._events.append(_Event("begin", *told, is_file=self._is_file))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._texts += end - start
        if end > start:
            self._events.append(_Event("data", data=data[start:end]))

    def _end(self) -> None:
        self.has_ended = True
