"""Stores files at Salesforce, in the worker: those of a message before it is sent, and identity documents."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.domain.ports.files import FileGateway, OutgoingFile
from portal_app.domain.uploads.file_kind import DOCUMENT_KINDS
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings
from portal_app.models.upload import UploadRow
from portal_app.services.uploads.checking import Checking
from portal_app.services.uploads.parts import part_of, sent_parts
from portal_app.services.uploads.uploads import delete_parts
from portal_app.services.write_guard import WriteGuard

_log = structlog.get_logger(__name__)
_EXTENSIONS = {kind.media_type: kind.extension for kind in DOCUMENT_KINDS}


class HandingOver:
    """Store each file once with the record that it belongs to."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        gateway: FileGateway,
        *,
        checking: Checking,
        clock: Callable[[], datetime] = now,
    ) -> None:
        settle = timedelta(seconds=settings.sf_long_timeout)
        self._guard = WriteGuard(database, _locked, "tried_at", settle=settle, clock=clock)
        self._database = database
        self._gateway = gateway
        self._checking = checking

    async def require_checked(self, message_id: UUID) -> None:
        """Raise ExternalUnavailable while a file of a message is being checked: nothing of the message leaves then."""
        if any(row.state == "received" for row in await self._files_of(message_id)):
            raise ExternalUnavailable("a file is being checked", vendor="portal")

    async def hand_over(self, message_id: UUID, sf_case_id: str) -> None:
        """Store the files of a message that Salesforce does not have yet. A refused one keeps its reason.

        Raises as the gateway does.
        """
        for row in await self._files_of(message_id):
            if row.state == "checked":
                await self._store(row, sf_case_id, row.name)

    async def hand_over_document(self, upload_id: UUID, account_id: str) -> str:
        """Store an identity document with an account, and return the key of the reason where it was not taken.

        Raises ExternalUnavailable while it is being checked, and as the gateway does.
        """
        row = await self._document(upload_id)
        if row is None or row.state == "sent":
            return ""
        if row.state == "received":
            raise ExternalUnavailable("the document is being checked", vendor="portal")
        if row.state == "checked":
            # The customer's own name for it is used for nothing.
            await self._store(row, account_id, f"identity-{row.id}.{_EXTENSIONS[row.media_type]}")
            row = await self._document(upload_id)
        return row.refusal if row else ""

    async def _document(self, upload_id: UUID) -> UploadRow | None:
        async with self._database.unit_of_work() as session:
            row = await session.get(UploadRow, upload_id)
        return row if row is not None and row.is_document else None

    async def _store(self, row: UploadRow, record_id: str, name: str) -> None:
        version, count = sent_parts(row)
        file = OutgoingFile(row.id, name, row.sent_size, row.media_type, row.md5, count)

        async def ask() -> str:
            await self._gateway.store(record_id, file, lambda number: part_of(self._database, row.id, version, number))
            # Read back, because only Salesforce's own checksum shows that the file arrived whole.
            try:
                found = await self._gateway.stored(file)
            except ExternalUnavailable as error:
                # Stored all the same: the next try looks it up.
                raise OutcomeUnknown("the file was not read back", vendor="salesforce") from error
            if found is None:
                raise ExternalUnavailable("the file arrived damaged", vendor="salesforce")
            return found

        try:
            document = await self._guard.send(
                row.id, ask, look_up=lambda: self._gateway.stored(file), vendor="salesforce"
            )
        except ExternalRejected as error:
            # Its storage may be full, or its rules forbid the file: the customer's words go on without it.
            _log.error("upload.refused_by_salesforce", upload=str(row.id), reason=str(error)[:200])
            await self._checking.refuse(row.id, "not_accepted")
            return
        await self._note_sent(row.id, document)

    async def _files_of(self, message_id: UUID) -> list[UploadRow]:
        async with self._database.unit_of_work() as session:
            return await UploadRow.of_message(session, message_id)

    async def _note_sent(self, upload_id: UUID, document: str) -> None:
        async with self._database.unit_of_work() as session:
            row = await _locked(session, upload_id)
            row.state = "sent"
            # An identity document is not shown with any case, even where an agent links it to one.
            row.sf_document_id = None if row.is_document else document
            await delete_parts(session, upload_id)


async def _locked(session: AsyncSession, upload_id: UUID) -> UploadRow:
    row = await UploadRow.locked(session, upload_id)
    if row is None:
        raise NotFound("no such upload")
    return row
