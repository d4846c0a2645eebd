"""Receives a piece of an upload: sealed part by part, each stored before the next, so that a cut loses little."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict
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
from portal_app.models.upload import UploadPart, UploadRow
from portal_app.services.identity.context import ServiceContext
from portal_app.services.uploads.uploads import one_at_a_time, own

# A request that brings nothing for so long loses its turn to the next one: its line is dead.
_LEASE = timedelta(seconds=15)
# On a slow line a part is stored before it is full, so that the lease goes on and a cut loses little.
_LONGEST_HELD = timedelta(seconds=5)
# Parts of one upload: a client that sends it in tiny pieces would fill the table with rows.
_MOST_PARTS = 2000
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

    async def receive(self, user_id: UUID, upload_id: UUID, *, offset: int, piece: AsyncIterator[bytes]) -> Upload:
        """Store a piece that begins at an offset, and return how far the upload is then.

        What came before the line was lost is kept. Raises NotFound, UploadExpired, WrongOffset, UploadCompleted,
        UploadBusy while another piece arrives, and TooLargeUpload for more than was announced.
        """
        lease = uuid4()
        row = await self._begin(user_id, upload_id, lease, offset)
        room, held, stored_at = row.size - row.received, bytearray(), self._clock()
        try:
            async for chunk in piece:
                room -= len(chunk)
                if room < 0:
                    raise TooLargeUpload(row.size)
                held += chunk
                while len(held) >= PART_BYTES or (held and self._clock() - stored_at > _LONGEST_HELD):
                    await self._store(row, lease, bytes(held[:PART_BYTES]))
                    del held[:PART_BYTES]
                    stored_at = self._clock()
        finally:
            # Also where the line was lost: the next piece begins behind what is stored here.
            stored = await self._end(row, lease, bytes(held))
        if stored.state == "received":
            await self._live.publish(Change(user_id, TOPIC, stored.draft))
        return stored.to_domain()

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
            row.lease, row.lease_until = lease, at + _LEASE
        return row

    async def _store(self, row: UploadRow, lease: UUID, content: bytes) -> None:
        async with self._database.unit_of_work(customer=row.user_id) as session:
            _append(session, await self._leased(session, row, lease), content).lease_until = self._clock() + _LEASE

    async def _end(self, row: UploadRow, lease: UUID, rest: bytes) -> UploadRow:
        """Store the rest, give the lease back, and have a complete file checked."""
        async with self._database.unit_of_work(customer=row.user_id) as session:
            locked = await self._leased(session, row, lease)
            if rest:
                _append(session, locked, rest)
            locked.lease = locked.lease_until = None
            if locked.received == locked.size:
                locked.state = "received"
                await self._context.queue.enqueue(session, "check_upload", f"check-upload-{row.id}", str(row.id))
        return locked

    async def _leased(self, session: AsyncSession, row: UploadRow, lease: UUID) -> UploadRow:
        locked = own(await UploadRow.locked(session, row.id), row.user_id, self._clock())
        if locked.lease != lease:
            raise UploadBusy("another request took over")
        if locked.parts >= _MOST_PARTS:
            raise Conflict("too many parts", user_message="Send this file in fewer pieces.")
        return locked


def _append(session: AsyncSession, row: UploadRow, content: bytes) -> UploadRow:
    session.add(UploadPart(upload_id=row.id, number=row.parts, user_id=row.user_id, content=content))
    row.parts, row.received = row.parts + 1, row.received + len(content)
    return row
