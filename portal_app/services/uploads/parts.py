"""The sealed parts of a file, one at a time: a process never holds more than a part or two."""

from collections.abc import AsyncIterator
from uuid import UUID

from portal_app.domain.errors import NotFound
from portal_app.infra.database.database import Database
from portal_app.models.upload import UploadPart, UploadRow

AS_IT_CAME, AS_CHECKED = 0, 1


async def parts_of(database: Database, row: UploadRow, version: int) -> AsyncIterator[bytes]:
    """Yield the parts of one version of a file. Raises NotFound where one is missing."""
    count = row.parts if version == AS_IT_CAME else row.checked_parts or 0
    for number in range(count):
        yield await part_of(database, row.id, version, number)


async def part_of(database: Database, upload_id: UUID, version: int, number: int) -> bytes:
    """Return one part. Raises NotFound."""
    async with database.unit_of_work() as session:
        part = await session.get(UploadPart, (upload_id, version, number))
        if part is None:
            raise NotFound("a part is missing")
        return part.content


def sent_parts(row: UploadRow) -> tuple[int, int]:
    """Return the version of a file that is sent, and the number of its parts."""
    return (AS_IT_CAME, row.parts) if row.checked_parts is None else (AS_CHECKED, row.checked_parts)
