"""The parts of an upload: written once, by the request that holds the lease, and there when `write` returns."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from portal_app.domain.errors import NotFound
from portal_app.domain.uploads.upload import PART_BYTES, UploadBusy, UploadExpired
from portal_app.infra.clock import now
from portal_app.models.upload import UploadRow
from portal_app.services.uploads.part_writer import PartWriter
from portal_app.services.uploads.parts import AS_IT_CAME, parts_of
from portal_app.wiring.portal import Portal
from tests.support.clients.case_files import begin
from tests.support.clients.visitor import Visitor

CONTENT = bytes(range(250)) * 3000


@pytest.fixture
async def row(ben: Visitor, worker: Portal) -> AsyncIterator[UploadRow]:
    """An upload that a request leases."""
    path = (await begin(ben, 3 * len(CONTENT))).headers["location"]
    async with worker.database.unit_of_work() as session:
        row = await session.get(UploadRow, UUID(path.rpartition("/")[2]))
        row.lease = uuid4()
    yield row
    # Of few uploads that may arrive at a time, this one takes no place any more.
    async with worker.database.unit_of_work() as session:
        left = await session.get(UploadRow, row.id)
        left.lease = left.lease_until = None


async def stored(worker: Portal, row: UploadRow) -> bytes:
    async with worker.database.unit_of_work() as session:
        known = await session.get(UploadRow, row.id)
    content = b"".join([part async for part in parts_of(worker.database, known, AS_IT_CAME)])
    assert len(content) == known.received
    return content


async def test_what_is_written_is_there_in_order_and_leaves_what_is_held(
    portal: Portal, worker: Portal, row: UploadRow
) -> None:
    writer, held = PartWriter(portal.database, row, row.lease, now), bytearray(CONTENT)
    await writer.write(held, 2 * PART_BYTES)
    assert (await stored(worker, row), len(held)) == (CONTENT[: 2 * PART_BYTES], len(CONTENT) - 2 * PART_BYTES)
    await writer.write(held, len(held))
    assert (await stored(worker, row), held) == (CONTENT, b"")


async def test_an_answer_that_was_lost_does_not_write_the_same_bytes_twice(
    portal: Portal, worker: Portal, row: UploadRow
) -> None:
    await PartWriter(portal.database, row, row.lease, now).write(bytearray(CONTENT), PART_BYTES)
    with pytest.raises(UploadBusy):
        # It knows nothing of the first, as after a commit whose answer was lost.
        await PartWriter(portal.database, row, row.lease, now).write(bytearray(CONTENT), PART_BYTES)
    assert await stored(worker, row) == CONTENT[:PART_BYTES]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"lease": uuid4()}, UploadBusy),
        ({"state": "removed", "lease": None}, NotFound),
        ({"expires_at": now()}, UploadExpired),
        ({"user_id": None}, NotFound),
    ],
)
async def test_a_request_that_lost_its_upload_writes_nothing(
    portal: Portal, worker: Portal, row: UploadRow, change: dict[str, object], error: type[Exception]
) -> None:
    theirs = UploadRow(**row.model_dump())
    if "user_id" in change:
        # Somebody else's, whatever the request believes: row-level security.
        theirs.user_id = uuid4()
    else:
        async with worker.database.unit_of_work() as session:
            known = await session.get(UploadRow, row.id)
            for name, value in change.items():
                setattr(known, name, value)
    held = bytearray(CONTENT)
    with pytest.raises(error):
        await PartWriter(portal.database, theirs, row.lease, now).write(held, PART_BYTES)
    assert (await stored(worker, row), len(held)) == (b"", len(CONTENT))
