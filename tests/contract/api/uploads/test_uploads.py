"""Uploads by tus 1.0.0: begun, resumed, one piece at a time, taken away, bounded, and nobody else's."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from portal_app.infra.clock import now
from portal_app.models.upload import UploadRow
from portal_app.services.uploads.parts import parts_of
from portal_app.wiring.portal import Portal
from tests.support.clients.case_files import TUS, begin, key, patch, upload
from tests.support.clients.visitor import Visitor, instead_of, new_customer

MEGABYTE = 1024 * 1024
CONTENT = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(256)) * 100


async def test_a_cut_upload_goes_on_where_it_was_and_arrives_whole(ben: Visitor, worker: Portal) -> None:
    begun = await begin(ben, len(CONTENT), "再発行のお願い（至急）.txt")
    path = begun.headers["location"]
    assert (begun.status_code, begun.headers["tus-resumable"]) == (201, "1.0.0")
    assert (await patch(ben, path, 0, _cut(CONTENT[:500_000]))).status_code in (204, 408, 500)
    known = await ben.http.head(path, headers=TUS)
    offset = int(known.headers["upload-offset"])
    assert (known.status_code, known.headers["cache-control"], offset) == (200, "no-store", 500_000)
    wrong = await patch(ben, path, 7, b"x")
    assert (wrong.status_code, wrong.headers["upload-offset"]) == (409, "500000")
    assert (wrong.json()["expected-offset"], wrong.json()["provided-offset"]) == (500_000, 7)
    assert (await patch(ben, path, offset, CONTENT[offset:])).headers["upload-offset"] == str(len(CONTENT))
    assert (await patch(ben, path, len(CONTENT), b"x")).status_code == 400
    async with worker.database.unit_of_work() as session:
        row = await session.get(UploadRow, UUID(path.rpartition("/")[2]))
        query = sa.text("SELECT content FROM upload_parts WHERE upload_id = :id")
        sealed = [bytes(part) for (part,) in await (await session.connection()).execute(query, {"id": row.id})]
    assert row is not None and (row.name, row.state) == ("再発行のお願い（至急）.txt", "received")
    assert b"".join([part async for part in parts_of(worker.database, row, 0)]) == CONTENT
    assert all(CONTENT[:32] not in part and len(part) <= 256 * 1024 + 100 for part in sealed)


async def test_options_version_and_lengths_are_as_the_protocol_says(ben: Visitor) -> None:
    told = (await ben.http.options("/api/uploads")).headers
    assert (told["tus-version"], told["tus-extension"], told["tus-max-size"]) == (
        "1.0.0", "creation,termination,expiration", str(25 * MEGABYTE),
    )  # fmt: skip
    unversioned = await ben.http.post("/api/uploads", headers={"Upload-Length": "1"})
    assert (unversioned.status_code, unversioned.headers["tus-version"]) == (412, "1.0.0")
    for size, status in ((0, 422), (26 * MEGABYTE, 413)):
        assert (await begin(ben, size)).status_code == status
    assert (await ben.http.post("/api/uploads", headers={**TUS, "Upload-Length": "-1"})).status_code == 400
    path = (await begin(ben, 3)).headers["location"]
    assert (await patch(ben, path, 0, b"four")).status_code == 413
    assert (await ben.http.patch(path, content=b"abc", headers={**TUS, "Upload-Offset": "0"})).status_code == 415


async def test_only_one_piece_of_an_upload_and_three_of_a_customer_arrive_at_a_time(ben: Visitor) -> None:
    paths = [(await begin(ben, 10)).headers["location"] for _ in range(4)]
    gates = [asyncio.Event() for _ in paths]
    running = [asyncio.create_task(patch(ben, path, 0, _held(gate))) for path, gate in zip(paths, gates, strict=True)]
    done, waiting = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result().status_code for task in done] == [423]
    open_path = paths[running.index(next(iter(waiting)))]
    assert (await patch(ben, open_path, 0, b"x")).status_code == 423
    for gate in gates:
        gate.set()
    assert {task.result().status_code for task in (await asyncio.wait(waiting))[0]} == {204}


async def test_an_upload_is_taken_away_and_ends_after_a_day(ben: Visitor, worker: Portal) -> None:
    path = (await begin(ben, 3)).headers["location"]
    assert (await ben.http.delete(path, headers=TUS)).status_code == 204
    assert (await ben.http.head(path, headers=TUS)).status_code == 404
    assert (await patch(ben, path, 0, b"abc")).status_code == 404
    late = await upload(ben, b"late")
    async with worker.database.unit_of_work() as session:
        row = await session.get(UploadRow, UUID(late))
        assert row is not None and row.expires_at > now() + timedelta(hours=23)
        row.expires_at = now()
    assert (await ben.http.head(f"/api/uploads/{late}", headers=TUS)).status_code == 410


async def test_the_same_key_begins_one_upload(ben: Visitor) -> None:
    once = key()
    places = {(await begin(ben, 5, **once)).headers["location"] for _ in range(3)}
    assert len(places) == 1
    assert (await begin(ben, 6, **once)).status_code == 422


async def test_another_customers_upload_is_not_found_and_its_bytes_are_unreadable(
    ben: Visitor, aiko: Visitor, portal: Portal
) -> None:
    own = await upload(ben, b"secret")
    path = f"/api/uploads/{own}"
    answers = [
        await aiko.http.head(path, headers=TUS),
        await patch(aiko, path, 0, b"x"),
        await aiko.http.delete(path, headers=TUS),
        await aiko.call("POST", "/api/cases", {"category": "other", "subject": "x", "text": "x", "uploads": [own]}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert (await aiko.http.post("/api/uploads", headers={"Origin": "https://evil.example"})).status_code == 403
    for text in ("1", "%2e%2e", own[:-1]):
        assert (await ben.http.head(f"/api/uploads/{text}", headers=TUS)).status_code == 404
    user_id = portal.identity.sessions.read_access_token(ben.cookie("access")).user_id
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with portal.database.unit_of_work(customer=user_id) as session:
            await (await session.connection()).execute(sa.text("SELECT content FROM upload_parts"))


async def test_the_files_of_a_day_end_at_their_limit(portal: Portal, worker: Portal) -> None:
    visitor = await Visitor(portal.settings).sign_in(await new_customer(worker))
    async with instead_of(portal, portal.settings.model_copy(update={"portal_upload_day_megabytes": 50})):
        statuses = [(await begin(visitor, 25 * MEGABYTE)).status_code for _ in range(3)]
    assert statuses == [201, 201, 429]
    await visitor.http.aclose()


async def _cut(content: bytes) -> AsyncIterator[bytes]:
    """Send some bytes, then lose the line."""
    yield content
    raise ConnectionResetError


async def _held(gate: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"12345"
    await gate.wait()
    yield b"67890"
