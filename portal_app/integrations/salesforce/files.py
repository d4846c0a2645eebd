"""Files of records in Salesforce, streamed in both directions. Implements FileGateway.

Multipart: REST API Developer Guide, "Insert or Update Blob Data". ContentVersion and ContentDocumentLink: Object
Reference for the Salesforce Platform.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

from simple_salesforce.api import Salesforce
from simple_salesforce.util import exception_handler

from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.ports.files import FileSink, LinkedFile, OutgoingFile, ReadPart, RemoteFile
from portal_app.domain.uploads.upload import MEGABYTE, PART_BYTES
from portal_app.infra.settings import Settings
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.errors import VENDOR, SalesforceRejected
from portal_app.integrations.salesforce.responses import Record, checked_id, id_of, understood

T = TypeVar("T")
_LINK_FIELDS = (
    "ContentDocumentId, LinkedEntityId, Visibility, ContentDocument.Title, ContentDocument.FileExtension,"
    " ContentDocument.ContentSize, ContentDocument.CreatedDate"
)
LINKS_OF_CASE = " ".join(("SELECT", _LINK_FIELDS, "FROM ContentDocumentLink WHERE LinkedEntityId = {case}"))
_LINKS_OF_MAILS = " ".join(("SELECT", _LINK_FIELDS, "FROM ContentDocumentLink WHERE LinkedEntityId IN {mails}"))
_STORED = (
    "SELECT Id, ContentDocumentId, Checksum FROM ContentVersion WHERE Description = {description} AND IsLatest = true"
)
_LINKS_OF_FILE = "SELECT LinkedEntityId, Visibility FROM ContentDocumentLink WHERE ContentDocumentId = {document}"
_VERSION = (
    "SELECT Id, ContentSize, Checksum{more} FROM ContentVersion"
    " WHERE ContentDocumentId = {{document}} AND IsLatest = true"
)
_PUBLIC = "AllUsers"
_NO_PLACE = "INVALID_CROSS_REFERENCE_KEY"


class SalesforceFiles:
    """Store and fetch files. None may be larger than SF_FILE_MEGABYTES, in either direction."""

    def __init__(self, client: SalesforceClient, settings: Settings) -> None:
        self._client = client
        self._largest = settings.sf_file_megabytes * MEGABYTE
        self._version = _VERSION.format(more=", MalwareScanStatus" if settings.sf_malware_status else "")

    async def stored(self, file: OutgoingFile) -> str | None:
        """Return the document of an upload that Salesforce has; a damaged one is deleted."""
        rows = await self._client.query(_STORED, description=_description(file))
        whole = [row for row in rows if str(row.get("Checksum") or "").lower() == file.md5]
        for row in rows:
            if row not in whole:
                await self._delete(id_of("stored file", row, "ContentDocumentId"))
        return id_of("stored file", whole[0], "ContentDocumentId") if whole else None

    async def store(self, record_id: str, file: OutgoingFile, read: ReadPart) -> None:
        """Store a file with a record, part by part: it is nowhere in memory as a whole. Raises NotFound."""
        about = {
            "Title": file.name.rpartition(".")[0][:255],
            "PathOnClient": file.name,
            "Description": _description(file),
            "FirstPublishLocationId": checked_id(record_id),
        }
        body = _Body(file, about, _Puller(read, asyncio.get_running_loop()))
        headers = {"Content-Type": f"multipart/form-data; boundary={body.boundary}"}

        def send(api: Salesforce) -> Any:
            return api.restful("sobjects/ContentVersion", method="POST", data=body, headers=headers)

        try:
            await self._client.long_call("store file", send, safe=False)
        except SalesforceRejected as error:
            if error.error_code == _NO_PLACE:
                # Deleted, or merged into another since: nothing is wrong with the file.
                raise NotFound("no such record") from error
            raise

    async def file(self, document_id: str) -> RemoteFile:
        """Return a file as it is now, by one composite call. Raises NotFound."""
        document = checked_id(document_id)
        parts = [
            Part.query("version", self._version, document=document),
            Part.query("links", _LINKS_OF_FILE, document=document),
        ]
        found = await self._client.composite("read file", parts, safe=True)
        with understood("read file"):
            rows, links = list(found["version"]["records"]), list(found["links"]["records"])
            if not rows:
                raise NotFound("no such file")
            status = str(rows[0].get("MalwareScanStatus") or "")
            return RemoteFile(
                version_id=id_of("read file", rows[0]),
                size=int(rows[0]["ContentSize"]),
                md5=str(rows[0].get("Checksum") or "").lower(),
                is_malicious=status == "Malicious",
                is_being_scanned=status == "Scheduled",
                links={str(link["LinkedEntityId"]): link.get("Visibility") == _PUBLIC for link in links},
            )

    async def fetch(self, version_id: str, sink: FileSink) -> None:
        """Fetch a version as quickly as Salesforce sends it."""
        path = f"sobjects/ContentVersion/{checked_id(version_id)}/VersionData"
        loop = asyncio.get_running_loop()

        def receive(api: Salesforce) -> None:
            _wait(sink.begin(), loop)
            with api.session.get(api.base_url + path, headers=api.headers, stream=True) as answer:
                if answer.status_code >= 300:
                    exception_handler(answer, name=path)
                for part in self._bounded(answer.iter_content(PART_BYTES)):
                    _wait(sink.write(part), loop)

        await self._client.long_call("fetch file", receive, safe=True)

    async def _delete(self, document_id: str) -> None:
        path = f"sobjects/ContentDocument/{checked_id(document_id)}"
        await self._client.long_call("delete file", lambda api: api.restful(path, method="DELETE"), safe=True)

    def _bounded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        received = 0
        for chunk in chunks:
            received += len(chunk)
            if received > self._largest:
                raise ExternalUnavailable("fetch file: larger than SF_FILE_MEGABYTES", vendor=VENDOR)
            yield chunk


async def links_of_mails(client: SalesforceClient, mails: Sequence[str]) -> list[Record]:
    """Return the links of files to these mails, none without a call where there are no mails."""
    return await client.query(_LINKS_OF_MAILS, mails=list(mails)) if mails else []


def linked_files(rows: Sequence[Record]) -> list[LinkedFile]:
    """Return the files of links. Raises ExternalUnavailable for a row that cannot be read."""
    return [_linked(row) for row in rows]


def _linked(row: Record) -> LinkedFile:
    with understood("read files"):
        document = row["ContentDocument"]
        title, extension = str(document.get("Title") or ""), str(document.get("FileExtension") or "")
        is_named = not extension or title.lower().endswith(f".{extension.lower()}")
        return LinkedFile(
            document_id=id_of("read files", row, "ContentDocumentId"),
            entry=id_of("read files", row, "LinkedEntityId"),
            name=title if is_named else f"{title}.{extension}",
            size=int(document.get("ContentSize") or 0),
            at=datetime.fromisoformat(str(document["CreatedDate"])),
            is_public=row.get("Visibility") == _PUBLIC,
        )


def _description(file: OutgoingFile) -> str:
    """Return what an upload is found by."""
    return f"portal:{file.upload_id}"


def _wait(work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> T:
    """Run something of the event loop's from a thread of calls, and wait for it."""
    return asyncio.run_coroutine_threadsafe(work, loop).result()


class _Puller:
    """Reads the parts of a file from a thread: one at a time, when the wire is ready for it."""

    def __init__(self, read: ReadPart, loop: asyncio.AbstractEventLoop) -> None:
        self._read = read
        self._loop = loop

    def parts(self, count: int) -> Iterator[bytes]:
        for number in range(count):
            yield _wait(self._pull(number), self._loop)

    async def _pull(self, number: int) -> bytes:
        return await self._read(number)


class _Body:
    """A multipart body of known length that is made while it is sent, from its beginning as often as it is sent."""

    def __init__(self, file: OutgoingFile, about: dict[str, str], puller: _Puller) -> None:
        self.boundary = uuid4().hex
        self._file = file
        self._parts: Callable[[], Iterator[bytes]] = lambda: puller.parts(file.parts)
        # RFC 7578 has names as they are; what would end the quoted name is encoded as browsers do.
        name = file.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        self._head = (
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="entity_content"\r\n'
            f"Content-Type: application/json\r\n\r\n{json.dumps(about)}\r\n--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="VersionData"; filename="{name}"; '
            f"filename*=UTF-8''{quote(file.name)}\r\nContent-Type: {file.media_type}\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{self.boundary}--\r\n".encode()

    def __len__(self) -> int:
        return len(self._head) + self._file.size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        yield from self._parts()
        yield self._tail
