"""Files: a version is uploaded as JSON or multipart, gets a document and a link, and is downloaded as bytes."""

import base64
import binascii
import hashlib
from io import BytesIO
from pathlib import PurePath
from typing import Any, BinaryIO

from sandbox.salesforce.calls import Answer, Call
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.incoming import accepted_values
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.rows import Rows
from sandbox.store import PART_BYTES, Store
from sandbox.streamed import Content

_MOST_TEXT = 50 * 1024 * 1024
VERSION, _DOCUMENT = "ContentVersion", "ContentDocument"


class Files:
    """Answer uploads and downloads of ContentVersion."""

    def __init__(self, rows: Rows, store: Store) -> None:
        self._rows = rows
        self._store = store

    def create(self, call: Call, fields: dict[str, Any]) -> str:
        """Keep a version of the document it names, or of a new one, linked to FirstPublishLocationId; return its id.

        Raises SalesforceError.
        """
        fields = dict(fields)
        content = _content(fields.pop("VersionData", None), call.blob)
        given = accepted_values(self._rows.tables, OBJECTS[VERSION], fields, creating=True)
        row_id = self._keep(given, content)
        path = f"{call.api_path}/sobjects/{VERSION}/{row_id}/VersionData"
        self._rows.update(VERSION, row_id, {"VersionData": path})
        return row_id

    def download(self, call: Call) -> Answer:
        """GET the bytes of a version."""
        row = self._rows.existing(OBJECTS[VERSION], call.path[2])
        return Answer(200, Content(int(row["ContentSize"]), self._store.file(row["Id"])))

    def _keep(self, given: dict[str, Any], content: BinaryIO) -> str:
        size, checksum = _measured(content)
        name = PurePath(given.get("PathOnClient") or "")
        title = given.get("Title") or name.stem
        told = {"FileExtension": name.suffix.lstrip("."), "ContentSize": size}
        document = given.get("ContentDocumentId")
        if document is None:
            document = self._rows.create(_DOCUMENT, {"Title": title} | told, system=True)
            self._link(document, given.get("FirstPublishLocationId"))
        older = self._rows.tables.children(VERSION, "ContentDocumentId", document)
        for each in older:
            self._rows.update(VERSION, each["Id"], {"IsLatest": False}, system=True)
        own = {"Title": title, "ContentDocumentId": document, "IsLatest": True, "VersionNumber": str(len(older) + 1)}
        own["Checksum"] = checksum
        row_id = self._rows.create(VERSION, given | told | own, system=True)
        self._rows.update(_DOCUMENT, document, told | {"LatestPublishedVersionId": row_id}, system=True)
        content.seek(0)
        self._store.put_file(row_id, content)
        return row_id

    def _link(self, document: str, entity: str | None) -> None:
        if entity is None:
            return
        # What is published on a record is for colleagues until somebody gives customers access.
        link = {"ContentDocumentId": document, "LinkedEntityId": entity, "Visibility": "InternalUsers"}
        try:
            self._rows.create("ContentDocumentLink", link)
        except SalesforceError as error:
            raise SalesforceError(error.code, error.message, fields=["FirstPublishLocationId"]) from error


def _measured(content: BinaryIO) -> tuple[int, str]:
    """Return size and MD5 of a file, read part by part."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    content.seek(0)
    while part := content.read(PART_BYTES):
        digest.update(part)
        size += len(part)
    return size, digest.hexdigest()


def _content(encoded: Any, blob: BinaryIO | None) -> BinaryIO:
    if blob is not None:
        return blob
    if not isinstance(encoded, str) or not encoded:
        raise SalesforceError(
            "REQUIRED_FIELD_MISSING", "Required fields are missing: [VersionData]", fields=["VersionData"]
        )
    if len(encoded) > _MOST_TEXT:
        message = "Version Data: the request is larger than 50 MB; send it as multipart"
        raise SalesforceError("MAXIMUM_SIZE_OF_ATTACHMENT", message, fields=["VersionData"])
    try:
        return BytesIO(base64.b64decode(encoded, validate=True))
    except binascii.Error as error:
        raise SalesforceError("JSON_PARSER_ERROR", "Value is not base64: VersionData") from error
