"""Files of a case for its customer: fetched at Salesforce's speed into sealed parts, then read from there."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import col, select

from portal_app.domain.errors import ExternalUnavailable, NotAllowed, NotFound
from portal_app.domain.ports.files import FileGateway, RemoteFile
from portal_app.domain.profile.customer import Customer
from portal_app.domain.uploads.file_name import clean_name
from portal_app.domain.uploads.upload import MEGABYTE
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.models.support import CaseRow, EntryRow
from portal_app.models.upload import CaseFileRow, FileCopyPart, FileCopyRow
from portal_app.services.identity.context import ServiceContext
from portal_app.services.support.thread_files import own_documents
from portal_app.services.uploads.tidying import COPY_LIFE

_MALICIOUS = "Our virus scanner found something in this file, so it cannot be opened."
_BEING_SCANNED = "This file is being scanned for viruses. Try again in a few minutes."
_TOO_LARGE = "This file is larger than we can deliver here. Ask our team to send it in parts."


@dataclass(frozen=True, slots=True)
class Download:
    """A whole file. `parts` yields it; raises NotFound where it was deleted meanwhile."""

    name: str = field(repr=False)
    size: int
    parts: AsyncIterator[bytes]


class CaseFiles:
    """Hand files of cases out, whole or not at all."""

    def __init__(self, context: ServiceContext, gateway: FileGateway, *, clock: Callable[[], datetime] = now) -> None:
        self._context = context
        self._database = context.database
        self._gateway = gateway
        self._largest = context.settings.sf_file_megabytes * MEGABYTE
        self._clock = clock
        self._fetching: dict[tuple[UUID, str], asyncio.Task[FileCopyRow]] = {}

    async def download(self, customer: Customer, case_id: UUID, document_id: str) -> Download:
        """Return a file of a customer's case. Raises NotFound, also for another's or one that is not shared any more,
        NotAllowed for one that must not be opened, RateLimited, and ExternalUnavailable.
        """
        file = await self._shown(customer, case_id, document_id)
        await self._context.limits.consume(
            self._context.settings.portal_download_limit, "file-download", str(customer.user_id)
        )
        copy = await self._copy(customer, document_id) or await self._fetched(customer, case_id, document_id)
        return Download(clean_name(file.name), copy.size, self._parts(customer.user_id, copy))

    async def _shown(self, customer: Customer, case_id: UUID, document_id: str) -> CaseFileRow:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            case = await CaseRow.own(session, customer.user_id, case_id)
            file = await session.get(CaseFileRow, (case_id, document_id[:18])) if case else None
        if file is None or file.user_id != customer.user_id:
            raise NotFound("no such file")
        return file

    async def _copy(self, customer: Customer, document_id: str) -> FileCopyRow | None:
        query = select(FileCopyRow).where(
            FileCopyRow.user_id == customer.user_id,
            FileCopyRow.sf_document_id == document_id,
            col(FileCopyRow.is_whole),
            # One that ends while it is read would be cut.
            col(FileCopyRow.created_at) > self._clock() - COPY_LIFE / 2,
        )
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return (await session.exec(query.order_by(col(FileCopyRow.created_at).desc()).limit(1))).first()

    async def _fetched(self, customer: Customer, case_id: UUID, document_id: str) -> FileCopyRow:
        """Fetch a file; the same file asked for at the same time is fetched once. A reader who leaves ends nothing."""
        key = (customer.user_id, document_id)
        if key not in self._fetching:
            task = asyncio.create_task(self._fetch(customer, case_id, document_id))
            self._fetching[key] = task
            task.add_done_callback(partial(self._forget, key))
        return await asyncio.shield(self._fetching[key])

    def _forget(self, key: tuple[UUID, str], task: "asyncio.Task[FileCopyRow]") -> None:
        del self._fetching[key]
        if not task.cancelled():
            # Where all readers have left, nobody else takes the error.
            task.exception()

    async def _fetch(self, customer: Customer, case_id: UUID, document_id: str) -> FileCopyRow:
        remote = await self._gateway.file(document_id)
        await self._check(customer, case_id, document_id, remote)
        copy = FileCopyRow(id=uuid4(), user_id=customer.user_id, sf_document_id=document_id, created_at=self._clock())
        sink = _Sink(self._database, copy)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            session.add(copy)
            old = sa.delete(FileCopyRow).where(
                col(FileCopyRow.user_id) == customer.user_id,
                col(FileCopyRow.created_at) < self._clock() - COPY_LIFE,
            )
            await (await session.connection()).execute(old)
        await self._gateway.fetch(remote.version_id, sink)
        if sink.size != remote.size or (remote.md5 and sink.md5 != remote.md5):
            raise ExternalUnavailable("fetch file: it did not come whole", vendor="salesforce")
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            kept = await session.get(FileCopyRow, copy.id, with_for_update=True)
            if kept is None:
                raise ExternalUnavailable("fetch file: its copy was deleted", vendor="portal")
            kept.size, kept.parts, kept.is_whole = sink.size, sink.count, True
        return kept

    async def _check(self, customer: Customer, case_id: UUID, document_id: str, remote: RemoteFile) -> None:
        """Look whether the file is still for this customer, and whether it may be opened."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            case = await CaseRow.own(session, customer.user_id, case_id)
            query = select(EntryRow.sf_id).where(EntryRow.case_id == case_id, EntryRow.kind == "mail")
            places = {*(await session.exec(query)).all(), (case.sf_case_id or "") if case else ""}
            is_own = document_id in await own_documents(session, customer.user_id)
        shared = [is_public for place, is_public in remote.links.items() if place in places]
        if not shared or not (is_own or any(shared)):
            raise NotFound("no such file")
        if remote.is_malicious:
            raise NotAllowed("malicious file", user_message=_MALICIOUS)
        if remote.is_being_scanned:
            raise ExternalUnavailable("file is being scanned", vendor="salesforce", user_message=_BEING_SCANNED)
        if remote.size > self._largest:
            raise NotAllowed("file too large", user_message=_TOO_LARGE)

    async def _parts(self, user_id: UUID, copy: FileCopyRow) -> AsyncIterator[bytes]:
        for number in range(copy.parts):
            async with self._database.unit_of_work(customer=user_id) as session:
                part = await session.get(FileCopyPart, (copy.id, number))
            if part is None:
                raise NotFound("the copy was deleted")
            yield part.content


class _Sink:
    """Writes a file that is fetched into sealed parts."""

    def __init__(self, database: Database, copy: FileCopyRow) -> None:
        self._database = database
        self._id, self._user_id = copy.id, copy.user_id
        self._hash = hashlib.md5(usedforsecurity=False)
        self.count = self.size = 0

    @property
    def md5(self) -> str:
        return self._hash.hexdigest()

    async def begin(self) -> None:
        self._hash, self.count, self.size = hashlib.md5(usedforsecurity=False), 0, 0
        async with self._database.unit_of_work(customer=self._user_id) as session:
            delete = sa.delete(FileCopyPart).where(col(FileCopyPart.copy_id) == self._id)
            await (await session.connection()).execute(delete)

    async def write(self, part: bytes) -> None:
        async with self._database.unit_of_work(customer=self._user_id) as session:
            session.add(FileCopyPart(copy_id=self._id, number=self.count, user_id=self._user_id, content=part))
        self._hash.update(part)
        self.count, self.size = self.count + 1, self.size + len(part)
