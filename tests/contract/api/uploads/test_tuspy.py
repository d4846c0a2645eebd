"""A foreign client of the tus protocol, unchanged: tuspy uploads in pieces, stops, and goes on."""

import asyncio
import hashlib
from io import BytesIO
from uuid import UUID

import uvicorn
from tusclient.client import TusClient

from portal_app.models.upload import UploadRow
from portal_app.services.uploads.parts import parts_of
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, edge

CONTENT = hashlib.sha256(b"tuspy").digest() * 40_000


async def test_tuspy_uploads_stops_and_resumes(ben: Visitor, portal: Portal, worker: Portal) -> None:
    config = uvicorn.Config(edge(portal.settings), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in ben.http.cookies.jar)
    try:
        place = await asyncio.to_thread(_send, f"http://127.0.0.1:{port}/api/uploads", cookies)
    finally:
        server.should_exit = True
        await serving
    async with worker.database.unit_of_work() as session:
        row = await session.get(UploadRow, UUID(place.rpartition("/")[2]))
    assert row is not None and (row.name, row.state) == ("写真.txt", "received")
    assert b"".join([part async for part in parts_of(worker.database, row, 0)]) == CONTENT


def _send(url: str, cookies: str) -> str:
    client = TusClient(url, headers={"Cookie": cookies})
    wanted = {"file_stream": BytesIO(CONTENT), "chunk_size": 300_000, "metadata": {"filename": "写真.txt"}}
    first = client.uploader(**wanted)
    first.upload(stop_at=700_000)
    second = client.uploader(url=first.url, **wanted)
    assert second.offset == first.offset >= 700_000
    second.upload()
    return str(second.url)
