"""A customer's files at the API and at Salesforce: sent by tus, checked, delivered with their message."""

import base64
from typing import Any
from uuid import UUID, uuid4

import httpx
import sqlalchemy as sa
from sqlmodel import col, select

from portal_app.models.support import CaseRow, MessageRow
from portal_app.models.upload import UploadRow
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}
QUESTION = {"category": "other", "subject": "Files", "text": "See the file"}


async def begin(visitor: Visitor, size: int, name: str = "a.txt", *, draft: str = "", **headers: str) -> httpx.Response:
    """Begin an upload."""
    filename, belongs = (base64.b64encode(text.encode()).decode() for text in (name, draft))
    told = {"Upload-Length": str(size), "Upload-Metadata": f"filename {filename},draft {belongs}"}
    return await visitor.http.post("/api/uploads", headers={**TUS, **told, **headers})


async def patch(visitor: Visitor, path: str, offset: int, content: Any) -> httpx.Response:
    """Send a piece."""
    return await visitor.http.patch(path, content=content, headers={**PIECE, "Upload-Offset": str(offset)})


async def upload(visitor: Visitor, content: bytes, name: str = "a.txt", *, draft: str = "") -> str:
    """Send a whole file and return its id."""
    path = (await begin(visitor, len(content), name, draft=draft)).headers["location"]
    sent = await patch(visitor, path, 0, content)
    assert sent.status_code == 204, sent.text
    return path.rpartition("/")[2]


async def check(worker: Portal, upload_id: str) -> UploadRow:
    """Check a file as its workflow does, and return it."""
    await worker.uploads.checking.check(UUID(upload_id))
    async with worker.database.unit_of_work() as session:
        row = await session.get(UploadRow, UUID(upload_id))
    assert row is not None
    return row


async def open_case(visitor: Visitor, uploads: list[str] | None = None, **other: str) -> str:
    """Open a case with files and return its id."""
    answer = await visitor.call("POST", "/api/cases", {**QUESTION, "uploads": uploads or [], **other})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def send_waiting(worker: Portal, case_id: str) -> None:
    """Send every message of a case that waits, as the workflows do once their time has come."""
    async with worker.database.unit_of_work() as session:
        due = sa.update(MessageRow).where(col(MessageRow.case_id) == UUID(case_id), col(MessageRow.state) == "queued")
        await (await session.connection()).execute(due.values(send_at=col(MessageRow.created_at)))
        query = select(MessageRow.id).where(MessageRow.case_id == UUID(case_id)).order_by(col(MessageRow.seq))
        messages = (await session.exec(query)).all()
    for message in messages:
        if await worker.support.delivery.claim(message) == 0:
            await worker.support.delivery.send(message)
            await worker.support.delivery.show(message)


async def deliver(worker: Portal, case_id: str) -> str:
    """Send every message of a case that waits, and return the case's id at Salesforce."""
    await send_waiting(worker, case_id)
    async with worker.database.unit_of_work() as session:
        row = await session.get(CaseRow, UUID(case_id))
    assert row is not None and row.sf_case_id
    return row.sf_case_id


async def entries(visitor: Visitor, case_id: str) -> list[dict[str, Any]]:
    """Return the entries of a case as the API shows them."""
    answer = await visitor.get(f"/api/cases/{case_id}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["entries"])


async def case_at_salesforce(office: httpx.AsyncClient, sf_case_id: str) -> dict[str, Any]:
    """Return a case as the back office shows it."""
    return next(case for case in (await office.get("/support")).json() if case["Id"] == sf_case_id)


async def add_file(office: httpx.AsyncClient, sf_case_id: str, content: bytes, name: str, **other: object) -> str:
    """Add a file as an agent does, and return its document."""
    told = {"name": name, "content": base64.b64encode(content).decode(), **other}
    answer = await office.post(f"/support/{sf_case_id}/file", json=told)
    answer.raise_for_status()
    return str(answer.json()["id"])


def key() -> dict[str, str]:
    """Return a new Idempotency-Key header."""
    return {"Idempotency-Key": uuid4().hex}
