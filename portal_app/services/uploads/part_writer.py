"""Writes the parts of an upload while they arrive: sealed, several in one statement, each on disk before the next."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from portal_app.domain.errors import Conflict
from portal_app.domain.uploads.upload import PART_BYTES, UploadBusy
from portal_app.infra.database.database import Database
from portal_app.infra.security.encrypted_column import sealed
from portal_app.models.upload import UploadPart, UploadRow
from portal_app.services.uploads.parts import AS_IT_CAME
from portal_app.services.uploads.uploads import own

# A request that brings nothing for so long loses its turn to the next one: its line is dead.
LEASE = timedelta(seconds=15)
# Parts that are held and written at a time: a transaction costs more than the second part in it.
TOGETHER = 2
# Parts of one upload: a client that sends it in tiny pieces would fill the table with rows.
_MOST_PARTS = 2000
# Only the request that holds the lease writes, so it knows the number of the next part.
_STORE = """
WITH held AS (
    UPDATE uploads SET parts = %(parts)s, received = %(received)s, lease_until = %(until)s
    WHERE id = %(id)s AND lease = %(lease)s AND parts = %(known)s AND expires_at > %(at)s
    RETURNING id, user_id
)
INSERT INTO upload_parts (upload_id, version, number, user_id, content)
SELECT held.id, %(version)s, part.number, held.user_id, part.content
FROM held, (VALUES {rows}) AS part (number, content)
"""


class PartWriter:
    """Writes one upload for the request that holds its lease."""

    def __init__(self, database: Database, row: UploadRow, lease: UUID, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._row = row
        self._lease = lease
        self._clock = clock
        self._parts, self._received = row.parts, row.received

    async def write(self, held: bytearray, most: int) -> None:
        """Store the first bytes of what is held and take them out of it; once this returns, they survive a crash.

        Raises UploadBusy where another request took over, NotFound or UploadExpired where the upload ended, Conflict
        for too many parts.
        """
        at, size = self._clock(), min(most, len(held))
        sealed_parts = self._sealed(held, size)
        parts, received = self._parts + len(sealed_parts), self._received + size
        if parts > _MOST_PARTS:
            raise Conflict("too many parts", user_message="Send this file in fewer pieces.")
        values: dict[str, Any] = {
            "id": self._row.id, "lease": self._lease, "version": AS_IT_CAME, "at": at, "until": at + LEASE,
            "known": self._parts, "parts": parts, "received": received,
        }  # fmt: skip
        for each, part in enumerate(sealed_parts):
            values |= {f"number{each}": self._parts + each, f"content{each}": part}
        rows = ", ".join(f"(%(number{each})s::int, %(content{each})s::bytea)" for each in range(len(sealed_parts)))
        if await self._database.run_for(self._row.user_id, _STORE.format(rows=rows), values) != len(sealed_parts):
            await self._explain()
        self._parts, self._received = parts, received
        del held[:size]

    async def _explain(self) -> None:
        """Raise why nothing was written."""
        async with self._database.unit_of_work(customer=self._row.user_id) as session:
            own(await session.get(UploadRow, self._row.id), self._row.user_id, self._clock())
        raise UploadBusy("another request took over")

    def _sealed(self, held: bytearray, size: int) -> list[bytes]:
        # Not copied before it is sealed: there may be many uploads at a time.
        with memoryview(held)[:size] as view:
            pieces = [view[begin : begin + PART_BYTES] for begin in range(0, size, PART_BYTES)]
            return [
                sealed(UploadPart, "content", piece, self._row.id, AS_IT_CAME, number)
                for number, piece in enumerate(pieces, self._parts)
            ]
