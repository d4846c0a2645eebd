"""Both sides of a case: what its customer sends by API, and what an agent does in the back office."""

from typing import Any
from uuid import UUID

import httpx

from portal_app.models.support import CaseRow
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor

QUESTION = {"category": "billing", "subject": "請求書について", "text": "なぜ二回ですか"}


async def opened(visitor: Visitor, **other: str) -> str:
    """Open a case and return its id."""
    answer = await visitor.call("POST", "/api/cases", QUESTION | other)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


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
