"""A conversation as a file of its customer's own."""

import httpx

from portal_app.wiring.portal import Portal
from tests.contract.api.support.talking import QUESTION, agent_does, opened, sf_id, thread
from tests.support.clients.case_files import send_waiting
from tests.support.clients.visitor import Visitor


async def test_a_customer_keeps_the_whole_conversation_as_a_file_without_what_is_not_theirs(
    ben: Visitor, aiko: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben, text="なぜ二回ですか")
    await send_waiting(worker, case_id)
    await agent_does(worker, office, case_id, "burst", count=60, text="No.")
    await agent_does(worker, office, case_id, "comment", text="Internal", public=False)
    await agent_does(worker, office, case_id, "mail", text="To a partner", to="partner@example.jp")
    await agent_does(worker, office, case_id, "file", name="手順書.pdf", content="QUJD")
    answer = await ben.get(f"/api/cases/{case_id}/conversation")
    copy, number = answer.json(), (await thread(ben, case_id))["number"]
    assert answer.headers["content-disposition"] == f'attachment; filename="case-{number}.json"'
    said = [(entry["side"], entry["text"]) for entry in copy["entries"] if entry["kind"] in ("opening", "comment")]
    assert said == [("customer", "なぜ二回ですか"), *(("team", f"No. {turn}") for turn in range(1, 61))]
    assert copy["entries"][-1]["files"] == [{"name": "手順書.pdf", "size": 3}]
    assert (copy["number"], copy["subject"]) == (number, QUESTION["subject"])
    for hidden in ("Internal", "To a partner", "partner@", await sf_id(worker, case_id), case_id):
        assert hidden not in answer.text, hidden
    refused = await aiko.get(f"/api/cases/{case_id}/conversation")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
