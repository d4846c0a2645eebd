"""Checks files in the worker before they may leave: scanned, told by content, pictures and PDFs written again."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

import structlog

from portal_app.domain.uploads.file_kind import DOCUMENT_KINDS, OFFICE_TYPES, FileKind, kind_of
from portal_app.domain.uploads.file_name import named_by_content
from portal_app.domain.uploads.upload import DOCUMENT_DRAFT
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.security.file_check import FileRefused, check_content
from portal_app.infra.security.malware_scan import MalwareScanner
from portal_app.models.upload import UploadPart, UploadRow
from portal_app.services.audit import Tag, record
from portal_app.services.uploads.parts import AS_CHECKED, AS_IT_CAME, part_of, parts_of
from portal_app.services.uploads.receiving import TOPIC
from portal_app.services.uploads.uploads import delete_parts

_log = structlog.get_logger(__name__)
_PLACE = "uploads.digest"
# Decoding takes a core, and up to a gigabyte.
_AT_ONCE = 2


class Checking:
    """Check files; every public method is one step of a workflow and safe to repeat."""

    def __init__(self, database: Database, live: LiveUpdates, ring: KeyRing, scanner: MalwareScanner) -> None:
        self._database = database
        self._live = live
        self._ring = ring
        self._scanner = scanner
        self._decoders = asyncio.Semaphore(_AT_ONCE)

    async def check(self, upload_id: UUID) -> None:
        """Check a file that has arrived. Raises ExternalUnavailable while the scanner is away: nothing leaves."""
        async with self._database.unit_of_work() as session:
            row = await session.get(UploadRow, upload_id)
        if row is None or row.state != "received":
            return
        if self._scanner.is_on and (found := await self._scanner.scan(parts_of(self._database, row, AS_IT_CAME))):
            _log.warning("upload.malware", upload=str(upload_id), found=found[:100])
            await self.refuse(upload_id, "malware")
            return
        kind = kind_of(await part_of(self._database, row.id, AS_IT_CAME, 0), row.size)
        if row.draft == DOCUMENT_DRAFT and kind not in DOCUMENT_KINDS:
            kind = kind if kind == "heic" else "no_document"
        if isinstance(kind, str):
            await self.refuse(upload_id, kind)
            return
        try:
            async with self._decoders:
                await self._treat(row, kind)
        except FileRefused as refused:
            await self.refuse(upload_id, refused.reason)

    async def refuse(self, upload_id: UUID, reason: str) -> None:
        """Record why a file is not sent, and delete its bytes."""
        async with self._database.unit_of_work() as session:
            row = await UploadRow.locked(session, upload_id)
            if row is None or row.state in ("sent", "removed", "refused"):
                return
            row.state, row.refusal = "refused", reason
            await delete_parts(session, upload_id)
            if reason == "malware":
                record(session, Tag.MALWARE_FOUND, user_id=row.user_id, detail={"upload": str(upload_id)})
        await self._publish(row)

    async def _treat(self, row: UploadRow, kind: FileKind) -> None:
        written = _Written(self._database, row)
        async with self._database.unit_of_work() as session:
            # What an earlier try wrote before its process ended.
            await delete_parts(session, row.id, version=AS_CHECKED)
        extension = await check_content(kind, written.noting(parts_of(self._database, row, AS_IT_CAME)), written.write)
        async with self._database.unit_of_work() as session:
            locked = await UploadRow.locked(session, row.id)
            if locked is None or locked.state != "received":
                await delete_parts(session, row.id, version=AS_CHECKED)
                return
            locked.state, locked.name = "checked", named_by_content(row.name, extension)
            locked.media_type = OFFICE_TYPES.get(extension, kind.media_type)
            locked.md5 = written.outcome.md5.hexdigest()
            locked.digest = self._ring.index(written.outcome.sha256.hexdigest(), _PLACE)
            if written.count:
                locked.checked_parts, locked.checked_size = written.count, written.size
                await delete_parts(session, row.id, version=AS_IT_CAME)
        await self._publish(row)

    async def _publish(self, row: UploadRow) -> None:
        await self._live.publish(Change(row.user_id, TOPIC, row.draft))


class _Digests:
    def __init__(self) -> None:
        self.md5, self.sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()

    def update(self, part: bytes) -> None:
        self.md5.update(part)
        self.sha256.update(part)


class _Written:
    """What the check writes, and the digests of what will be sent."""

    def __init__(self, database: Database, row: UploadRow) -> None:
        self._database = database
        self._row = row
        self._came, self._went = _Digests(), _Digests()
        self.count = self.size = 0

    @property
    def outcome(self) -> _Digests:
        return self._went if self.count else self._came

    async def noting(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for part in parts:
            self._came.update(part)
            yield part

    async def write(self, content: bytes) -> None:
        row = self._row
        async with self._database.unit_of_work() as session:
            part = UploadPart(
                upload_id=row.id, version=AS_CHECKED, number=self.count, user_id=row.user_id, content=content
            )
            session.add(part)
        self._went.update(content)
        self.count, self.size = self.count + 1, self.size + len(content)
