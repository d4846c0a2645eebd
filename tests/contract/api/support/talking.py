"""Both sides of a case: what its customer sends by API, and what an agent does in the back office."""

from typing import Any
from uuid import UUID

import httpx
import sqlalchemy as sa
from sqlmodel import col, select

from portal_app.models.support import CaseRow, MessageRow
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor

QUESTION = {"category": "billing", "subject": "請求書について", "text": "なぜ二回ですか"}


async def opened(visitor: Visitor, **other: str) -> str:
    """Open a case and return its id."""
    answer = await visitor.call("POST", "/api/cases", QUESTION | other)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def deliver(worker: Portal, case_id: str) -> None:
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


async def thread(visitor: Visitor, case_id: str) -> dict[str, Any]:
    """Return a case with its conversation."""
    answer = await visitor.get(f"/api/cases/{case_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def texts(visitor: Visitor, case_id: str) -> list[str]:
    """Return the texts of a conversation."""
    return [entry["text"] for entry in (await thread(visitor, case_id))["entries"]]


async def sf_id(worker: Portal, case_id: str) -> str:
    """Return Salesforce's id of a case."""
    async with worker.database.unit_of_work() as session:
        row = await session.get(CaseRow, UUID(case_id))
    assert row is not None and row.sf_case_id
    return row.sf_case_id


async def agent_does(worker: Portal, office: httpx.AsyncClient, case_id: str, action: str, **values: object) -> str:
    """Let an agent do something to a case, take it over as its event would, and return the id that was written."""
    salesforce = await sf_id(worker, case_id)
    answer = await office.post(f"/support/{salesforce}/{action}", json=values)
    assert answer.status_code == 200, answer.text
    await worker.support.changes.apply([salesforce])
    return str(answer.json()["id"])
