"""Receives a piece of an upload: stored part by part while it arrives, so that a cut loses little."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlmodel import col, select

from portal_app.domain.uploads.upload import (
    PART_BYTES,
    TooLargeUpload,
    Upload,
    UploadBusy,
    UploadCompleted,
    UploadLimits,
    WrongOffset,
)
from portal_app.infra.clock import now
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.upload import UploadRow
from portal_app.services.identity.context import ServiceContext
from portal_app.services.uploads.part_writer import LEASE, TOGETHER, PartWriter
from portal_app.services.uploads.uploads import one_at_a_time, own

_HELD = TOGETHER * PART_BYTES
# On a slow line a part is stored before it is full, so that the lease goes on and a cut loses little.
_LONGEST_HELD = timedelta(seconds=5)
TOPIC = "support"


class Receiving:
    """Store the pieces of uploads."""

    def __init__(
        self, context: ServiceContext, live: LiveUpdates, limits: UploadLimits, *, clock: Callable[[], datetime] = now
    ) -> None:
        self._context = context
        self._database = context.database
        self._live = live
        self._limits = limits
        self._clock = clock

    async def receive(
        self, user_id: UUID, upload_id: UUID, *, offset: int, piece: AsyncIterator[bytes], is_whole: bool = False
    ) -> Upload:
        """Store a piece that begins at an offset, and return how far the upload is then.

        What came before the line was lost is kept. With `is_whole` the upload ends with this piece, however large it
        was announced. Raises NotFound, UploadExpired, WrongOffset, UploadCompleted, UploadBusy while another piece
        arrives, and TooLargeUpload for more than was announced.
        """
        lease = uuid4()
        row = await self._begin(user_id, upload_id, lease, offset)
        writer = PartWriter(self._database, row, lease, self._clock)
        held, has_ended = bytearray(), False
        try:
            await self._take(piece, row, writer, held)
            has_ended = is_whole
        finally:
            # Also where the line was lost: the next piece begins behind what is stored here.
            if held:
                await writer.write(held, len(held))
            stored = await self._end(row, lease, has_ended=has_ended)
        if stored.state == "received":
            await self._live.publish(Change(user_id, TOPIC, stored.draft))
        return stored.to_domain()

    async def _take(self, piece: AsyncIterator[bytes], row: UploadRow, writer: PartWriter, held: bytearray) -> None:
        """Store full parts while they arrive. What is left in `held` is the rest."""
        room, stored_at = row.size - row.received, self._clock()
        async for chunk in piece:
            room -= len(chunk)
            if room < 0:
                raise TooLargeUpload(row.size)
            held += chunk
            while len(held) >= _HELD or (held and self._clock() - stored_at > _LONGEST_HELD):
                await writer.write(held, _HELD)
                stored_at = self._clock()

    async def _begin(self, user_id: UUID, upload_id: UUID, lease: UUID, offset: int) -> UploadRow:
        """Lease an upload to this request, as one of few of the customer."""
        at = self._clock()
        async with self._database.unit_of_work(customer=user_id) as session:
            await one_at_a_time(session, user_id)
            row = own(await UploadRow.locked(session, upload_id), user_id, at)
            if row.lease_until is not None and row.lease_until > at:
                raise UploadBusy("another piece arrives")
            if row.state != "receiving":
                if offset != row.received:
                    raise WrongOffset(row.received, offset)
                raise UploadCompleted("upload is complete")
            if offset != row.received:
                raise WrongOffset(row.received, offset)
            query = select(UploadRow.id).where(UploadRow.user_id == user_id, col(UploadRow.lease_until) > at)
            if len((await session.exec(query)).all()) >= self._limits.at_once:
                raise UploadBusy("too many pieces", user_message="Other files are arriving. Try again in a moment.")
            row.lease, row.lease_until = lease, at + LEASE
        return row

    async def _end(self, row: UploadRow, lease: UUID, *, has_ended: bool) -> UploadRow:
        """Give the lease back, and have a complete file checked."""
        async with self._database.unit_of_work(customer=row.user_id) as session:
            locked = own(await UploadRow.locked(session, row.id), row.user_id, self._clock())
            if locked.lease != lease:
                raise UploadBusy("another request took over")
            locked.lease = locked.lease_until = None
            if has_ended:
                locked.size = locked.received
            if locked.received == locked.size:
                locked.state = "received"
                await self._context.queue.enqueue(session, "check_upload", f"check-upload-{row.id}", str(row.id))
        return locked
