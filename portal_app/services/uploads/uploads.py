"""Uploads of customers for the API and pages: begin one, see how far it is, take it away."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.idempotency import Claim
from portal_app.domain.uploads.file_name import clean_name
from portal_app.domain.uploads.upload import DOCUMENT_DRAFT, LONGEST_KEY, MEGABYTE, Upload, UploadExpired, UploadLimits
from portal_app.infra.clock import now
from portal_app.infra.database.locks import lock_name
from portal_app.infra.settings import Settings
from portal_app.models.support import MessageRow
from portal_app.models.upload import UploadPart, UploadRow
from portal_app.services.identity.context import ServiceContext

_DAY = timedelta(days=1)


class Uploads:
    """Begin, show and remove uploads."""

    def __init__(self, context: ServiceContext, *, clock: Callable[[], datetime] = now) -> None:
        self._context = context
        self._database = context.database
        self._keep = timedelta(hours=context.settings.portal_upload_hours)
        self._clock = clock
        self.limits = limits_of(context.settings)

    async def begin(self, user_id: UUID, *, name: str, size: int, draft: str, claim: Claim | None = None) -> str:
        """Begin an upload and return its id. Raises InvalidInput, TooLargeUpload, RateLimited."""
        self.limits.check_size(size)
        await self._context.limits.consume(self._context.settings.portal_upload_limit, "upload", str(user_id))
        at = self._clock()
        async with self._database.unit_of_work(customer=user_id) as session:
            await one_at_a_time(session, user_id)
            self.limits.check_day(await _bytes_since(session, user_id, at - _DAY) + size)
            row = UploadRow(
                id=uuid4(),
                user_id=user_id,
                name=clean_name(name),
                size=size,
                draft=draft[:LONGEST_KEY],
                created_at=at,
                expires_at=at + self._keep,
            )
            session.add(row)
            if claim is not None:
                await claim.finish(session, str(row.id))
            return str(row.id)

    async def upload(self, user_id: UUID, upload_id: UUID) -> Upload:
        """Return a customer's upload. Raises NotFound, also for another's, and UploadExpired."""
        async with self._database.unit_of_work(customer=user_id) as session:
            return own(await session.get(UploadRow, upload_id), user_id, self._clock()).to_domain()

    async def of_draft(self, user_id: UUID, draft: str) -> list[Upload]:
        """Return the files of a draft that was not sent, oldest first."""
        query = select(UploadRow).where(
            UploadRow.user_id == user_id,
            UploadRow.draft == draft[:LONGEST_KEY],
            UploadRow.state != "removed",
            col(UploadRow.message_id).is_(None),
            ~col(UploadRow.is_document),
            col(UploadRow.expires_at) > self._clock(),
        )
        async with self._database.unit_of_work(customer=user_id) as session:
            rows = (await session.exec(query.order_by(col(UploadRow.created_at), col(UploadRow.id)))).all()
        return [row.to_domain() for row in rows] if draft else []

    async def remove(self, user_id: UUID, upload_id: UUID) -> None:
        """Take an upload away, with its bytes. Raises NotFound, and Conflict once it was submitted."""
        async with self._database.unit_of_work(customer=user_id) as session:
            row = own(await UploadRow.locked(session, upload_id), user_id, self._clock())
            _require_free(row)
            # The row stays for the count of the day; a request that sends a piece of it loses its lease.
            row.state, row.lease, row.lease_until = "removed", None, None
            await delete_parts(session, upload_id)


def limits_of(settings: Settings) -> UploadLimits:
    """Return the limits that the settings name."""
    return UploadLimits(
        file_bytes=min(settings.portal_upload_megabytes, settings.sf_file_megabytes) * MEGABYTE,
        message_bytes=settings.portal_message_megabytes * MEGABYTE,
        day_bytes=settings.portal_upload_day_megabytes * MEGABYTE,
        message_files=settings.portal_message_files,
        at_once=settings.portal_open_uploads,
    )


def own(row: UploadRow | None, user_id: UUID, at: datetime) -> UploadRow:
    """Return an upload that is the customer's and still there. Raises NotFound, UploadExpired."""
    if row is None or row.user_id != user_id or row.state == "removed":
        raise NotFound("no such upload")
    if not row.is_submitted and row.expires_at <= at:
        raise UploadExpired("upload expired")
    return row


async def attach(
    session: AsyncSession, message: MessageRow, uploads: Sequence[UUID], *, limits: UploadLimits, at: datetime
) -> None:
    """Make uploads the files of a message, in this order.

    Raises NotFound for another's, Conflict for one that is on its way or part of another message, InvalidInput.
    """
    rows = [own(await UploadRow.locked(session, each), message.user_id, at) for each in sorted(set(uploads))]
    limits.check_message([row.size for row in rows])
    for row in rows:
        _require_sendable(row)
        row.message_id, row.position = message.id, uploads.index(row.id)


async def submit_document(session: AsyncSession, user_id: UUID, upload_id: UUID, *, at: datetime) -> UploadRow:
    """Make an upload the customer's identity document. Raises NotFound, UploadExpired, Conflict."""
    row = own(await UploadRow.locked(session, upload_id), user_id, at)
    if row.draft != DOCUMENT_DRAFT:
        # Its kind was not checked for this.
        raise NotFound("no such upload")
    _require_sendable(row)
    row.is_document = True
    return row


async def forget_document(session: AsyncSession, upload_id: UUID) -> None:
    """Delete the bytes and the name of an identity document; without them the row counts for the limit of a day."""
    row = await UploadRow.locked(session, upload_id)
    if row is not None and row.is_document:
        row.state, row.is_document, row.name, row.sf_document_id = "removed", False, "", None
        await delete_parts(session, upload_id)


async def detach(session: AsyncSession, message_id: UUID, *, draft: str, until: datetime) -> None:
    """Give the files of a message that was taken back to its draft again."""
    for row in await UploadRow.of_message(session, message_id):
        row.message_id, row.draft, row.expires_at = None, draft, until


async def delete_parts(session: AsyncSession, upload_id: UUID, *, version: int | None = None) -> None:
    """Delete the bytes of an upload, or one version of them."""
    delete = sa.delete(UploadPart).where(col(UploadPart.upload_id) == upload_id)
    if version is not None:
        delete = delete.where(col(UploadPart.version) == version)
    await (await session.connection()).execute(delete)


def _require_free(row: UploadRow) -> None:
    if row.message_id is not None:
        raise Conflict("part of a message", user_message="This file is part of a message already.")
    if row.is_document:
        raise Conflict("submitted", user_message="Our team has this file already.")


def _require_sendable(row: UploadRow) -> None:
    _require_free(row)
    if row.state == "receiving":
        raise Conflict("not complete", user_message="A file has not arrived completely yet.")
    if row.state == "refused":
        raise Conflict("refused", user_message="A file was not accepted. Remove it, then send the message.")


async def one_at_a_time(session: AsyncSession, user_id: UUID) -> None:
    """Wait until no other transaction counts what this customer has."""
    await lock_name(session, f"uploads:{user_id}")


async def _bytes_since(session: AsyncSession, user_id: UUID, since: datetime) -> int:
    total = sa.func.coalesce(sa.func.sum(col(UploadRow.size)), 0)
    query = sa.select(total).where(col(UploadRow.user_id) == user_id, col(UploadRow.created_at) > since)
    return int((await (await session.connection()).execute(query)).scalar_one())
