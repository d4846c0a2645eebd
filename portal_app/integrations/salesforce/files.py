"""Files in Salesforce: stored as ContentVersion beside the record they belong to."""

import json
from dataclasses import dataclass
from typing import Any

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.util import exception_handler

from portal_app.domain.errors import ExternalUnavailable, InvalidInput
from portal_app.infra.settings import Settings
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.errors import VENDOR
from portal_app.integrations.salesforce.responses import checked_id, id_of, new_id_of, understood
from portal_app.language.phrase import Phrase

_PART = 64 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as Salesforce lists it; `size` in bytes."""

    version_id: str
    name: str
    size: int


class SalesforceFiles:
    """Store, list and fetch files. None may be larger than SF_FILE_MEGABYTES, in either direction."""

    def __init__(self, client: SalesforceClient, settings: Settings) -> None:
        self._client = client
        self._largest = settings.sf_file_megabytes * 1024 * 1024

    async def store(self, record_id: str, *, name: str, content: bytes, media_type: str) -> str:
        """Store a file with a record and return its version id. Sent once: `attached` shows whether it arrived.

        Raises InvalidInput for an empty or too large one, OutcomeUnknown when the answer was lost.
        """
        if not 0 < len(content) <= self._largest:
            raise InvalidInput(
                {"file": Phrase("Choose a file of at most {most} MB.", most=self._largest // 1024 // 1024)}
            )
        about = {"Title": name[:255], "PathOnClient": name[:500], "FirstPublishLocationId": checked_id(record_id)}
        parts = {
            "entity_content": (None, json.dumps(about), "application/json"),
            "VersionData": (name, content, media_type),
        }

        def send(api: Salesforce) -> Any:
            # Without a type of our own, so that the library's part boundary is named.
            return api.restful("sobjects/ContentVersion", method="POST", files=parts, headers={"Content-Type": None})

        answer = await self._client.long_call("store file", send, safe=False)
        return new_id_of("store file", answer, safe=False)

    async def attached(self, record_id: str) -> list[StoredFile]:
        """Return the files of a record, newest first."""
        links = await self._client.query(
            "SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = {record}",
            record=checked_id(record_id),
        )
        documents = [id_of("files of a record", link, "ContentDocumentId") for link in links]
        if not documents:
            return []
        rows = await self._client.query(
            "SELECT Id, PathOnClient, ContentSize FROM ContentVersion WHERE IsLatest = true AND "
            "ContentDocumentId IN {documents} ORDER BY CreatedDate DESC",
            documents=documents,
        )
        with understood("files of a record"):
            return [
                StoredFile(id_of("files of a record", row), str(row["PathOnClient"]), int(row["ContentSize"]))
                for row in rows
            ]

    async def content(self, version_id: str) -> bytes:
        """Return a file's bytes. Raises NotFound, and ExternalUnavailable for one beyond the limit."""
        path = f"sobjects/ContentVersion/{checked_id(version_id)}/VersionData"
        return await self._client.long_call("fetch file", lambda api: self._fetch(api, path), safe=True)

    def _fetch(self, api: Salesforce, path: str) -> bytes:
        with api.session.get(api.base_url + path, headers=api.headers, stream=True) as answer:
            if answer.status_code >= 300:
                exception_handler(answer, name=path)
            return self._limited(answer)

    def _limited(self, answer: requests.Response) -> bytes:
        received = bytearray()
        for part in answer.iter_content(_PART):
            received += part
            if len(received) > self._largest:
                raise ExternalUnavailable("fetch file: larger than SF_FILE_MEGABYTES", vendor=VENDOR)
        return bytes(received)
