"""Support cases by API: opened and answered once, in order, shown to their owner alone, told about once."""

import asyncio
from uuid import UUID, uuid4

import httpx
import pytest
from sqlmodel import col, select

from portal_app.domain.errors import OutcomeUnknown
from portal_app.models.support import CaseRow, MessageRow
from portal_app.wiring.portal import Portal
from tests.contract.api.support.talking import opened, sf_id, thread
from tests.support.clients.case_files import send_waiting
from tests.support.clients.visitor import Visitor, mailed
from tests.support.running.world import AIKO


async def test_a_conversation_goes_both_ways_and_each_word_is_there_once(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben)
    before = await thread(ben, case_id)
    assert (before["number"], before["turn"], [entry["state"] for entry in before["entries"]]) == (
        "",
        "team",
        ["queued"],
    )
    await send_waiting(worker, case_id)
    sent = await thread(ben, case_id)
    assert (sent["number"].isdigit(), [entry["text"] for entry in sent["entries"]]) == (True, ["なぜ二回ですか"])
    salesforce = await sf_id(worker, case_id)
    (await office.post(f"/support/{salesforce}/comment", json={"text": "Internal", "public": False})).raise_for_status()
    (await office.post(f"/support/{salesforce}/comment", json={"text": "We look into it."})).raise_for_status()
    await worker.support.changes.apply([salesforce])
    answered = await thread(ben, case_id)
    assert [(entry["side"], entry["author"], entry["text"]) for entry in answered["entries"]] == [
        ("customer", "", "なぜ二回ですか"),
        ("team", "Mika", "We look into it."),
    ]
    assert (answered["turn"], answered["is_unread"]) == ("customer", True)
    await worker.support.changes.tell(UUID(case_id))
    mail = await mailed(worker, ben.email, "case_answered")
    assert (mail["case_id"], mail["answer"]) == (case_id, "We look into it.")
    reply = await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "ありがとう\n\n" + "長" * 2000})
    assert reply.status_code == 201
    await send_waiting(worker, case_id)
    entries = (await thread(ben, case_id))["entries"]
    assert [entry["text"][:5] for entry in entries] == ["なぜ二回で", "We lo", "ありがとう"]
    row = next(case for case in (await office.get("/support")).json() if case["Id"] == salesforce)
    assert "".join(each["CommentBody"] for each in row["comments"]).count("長") == 2000


async def test_a_lost_answer_sends_nothing_twice(ben: Visitor, worker: Portal, office: httpx.AsyncClient) -> None:
    case_id = await opened(ben)
    await send_waiting(worker, case_id)
    await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "Once"})
    (await office.post("/faults/salesforce", json={"lose_answers": 1, "operations": ["composite"]})).raise_for_status()
    with pytest.raises(OutcomeUnknown):
        await send_waiting(worker, case_id)
    # Pressed at once: nothing was refused, and what is on its way is not sent beside itself.
    waiting = (await thread(ben, case_id))["entries"][-1]["id"]
    assert (await ben.call("POST", f"/api/cases/{case_id}/comments/{waiting}/retry")).status_code == 409
    await send_waiting(worker, case_id)
    assert [entry["text"] for entry in (await thread(ben, case_id))["entries"]] == ["なぜ二回ですか", "Once"]


async def test_a_question_that_was_not_taken_waits_for_its_customer(ben: Visitor, worker: Portal) -> None:
    case_id = await opened(ben, subject=f"Not taken {uuid4().hex}")

    async def turns() -> list[str]:
        rows = (await ben.get("/api/cases")).json()["items"]
        listed = next(row["turn"] for row in rows if row["id"] == case_id)
        return [(await thread(ben, case_id))["turn"], listed]

    assert await turns() == ["team", "team"]
    opening = (await thread(ben, case_id))["entries"][0]["id"]
    await worker.support.delivery.refuse(UUID(opening), "external_rejected")
    assert await turns() == ["customer", "customer"]
    retried = await ben.call("POST", f"/api/cases/{case_id}/comments/{opening}/retry")
    assert (retried.is_success, await turns()) == (True, ["team", "team"])


async def test_a_message_that_is_sent_twice_at_once_is_taken_once(ben: Visitor) -> None:
    case_id, key = await opened(ben), uuid4().hex
    path, text = f"/api/cases/{case_id}/comments", {"text": "Only once"}
    twice = [ben.call("POST", path, text, Idempotency_Key=key) for _ in range(2)]
    first, second = await asyncio.gather(*twice)
    assert first.json() == second.json()
    assert [entry["text"] for entry in (await thread(ben, case_id))["entries"]].count("Only once") == 1


async def test_a_message_is_taken_back_before_it_is_sent_and_not_afterwards(ben: Visitor, worker: Portal) -> None:
    case_id = await opened(ben)
    taken = (await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "Too quick"})).json()
    path = f"/api/cases/{case_id}/comments/{taken['id']}"
    assert (await ben.call("DELETE", path.replace(case_id, str(uuid4())))).status_code == 404
    await ben.call("PUT", f"/api/drafts/{case_id}", {"content": "Typed since", "version": 0})
    # What was sent and what was typed since are both there, on every device.
    assert (await ben.call("DELETE", path)).json() == {"content": "Too quick\n\nTyped since", "version": 2}
    assert (await ben.get(f"/api/drafts/{case_id}")).json()["content"] == "Too quick\n\nTyped since"
    await send_waiting(worker, case_id)
    assert [entry["kind"] for entry in (await thread(ben, case_id))["entries"]] == ["opening"]
    assert (await ben.call("DELETE", path)).status_code == 409


async def test_messages_of_one_case_wait_for_each_other(ben: Visitor, worker: Portal) -> None:
    case_id = await opened(ben)
    await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "Second"})
    async with worker.database.unit_of_work() as session:
        query = select(MessageRow).where(MessageRow.case_id == UUID(case_id)).order_by(col(MessageRow.seq).desc())
        second = (await session.exec(query)).first()
        assert second is not None
        second.send_at = second.created_at
        second_id = second.id
    assert (await worker.support.delivery.claim(second_id) or 0) > 0
    await send_waiting(worker, case_id)
    assert [entry["text"] for entry in (await thread(ben, case_id))["entries"]] == ["なぜ二回ですか", "Second"]


async def test_another_customers_case_is_not_found(ben: Visitor, aiko: Visitor) -> None:
    assert aiko.email == AIKO
    case_id = await opened(ben)
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/comments", {"text": "Hello"}),
        ("DELETE", f"/comments/{uuid4()}", None),
    ):
        answer = await aiko.call(method, f"/api/cases/{case_id}{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    listed = (await aiko.get("/api/cases")).json()["items"]
    assert case_id not in {case["id"] for case in listed}


async def test_the_same_words_of_two_customers_are_two_cases_that_neither_sees_of_the_other(
    ben: Visitor, aiko: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    subject, key = f"Re: Maintenance {uuid4().hex[:8]}", uuid4().hex
    asked = {"category": "internet", "subject": subject, "text": "When?"}
    cases = [(await each.call("POST", "/api/cases", asked, Idempotency_Key=key)).json()["id"] for each in (ben, aiko)]
    for case_id in cases:
        await send_waiting(worker, case_id)
    rows = [row for row in (await office.get("/support")).json() if row["Subject"] == subject]
    assert len({row["AccountId"] for row in rows}) == len(rows) == 2
    for somebody, own in zip((ben, aiko), cases, strict=True):
        found = (await somebody.get(f"/api/cases?q={subject}")).json()["items"]
        assert [case["id"] for case in found] == [own]


async def test_the_list_is_searched_in_japanese_and_filtered(ben: Visitor, worker: Portal) -> None:
    mark = uuid4().hex[:8]
    case_id = await opened(ben, subject=f"ＳＩＭの解約 {mark}")
    await send_waiting(worker, case_id)
    for q, count in ((f"simの解約 {mark}", 1), ("なぜ二回", 1), ("ないことば", 0)):
        found = (await ben.get(f"/api/cases?q={q}")).json()
        assert (case_id in {case["id"] for case in found["items"]}) == bool(count), q
    assert case_id not in {case["id"] for case in (await ben.get("/api/cases?status=closed")).json()["items"]}


async def test_a_case_that_was_closed_long_ago_is_followed_by_another(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben)
    await send_waiting(worker, case_id)
    salesforce = await sf_id(worker, case_id)
    (await office.post(f"/support/{salesforce}/set", json={"Status": "Resolved"})).raise_for_status()
    await worker.support.changes.apply([salesforce])
    assert ((await thread(ben, case_id))["turn"], (await thread(ben, case_id))["can_be_reopened"]) == ("nobody", True)
    assert (await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "Again"})).status_code == 201
    await send_waiting(worker, case_id)
    assert not (await thread(ben, case_id))["is_closed"]
    async with worker.database.unit_of_work() as session:
        row = await session.get(CaseRow, UUID(case_id))
        assert row is not None
        row.is_closed, row.closed_at = True, row.opened_at.replace(year=2020)
    refused = await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "Again"})
    assert refused.status_code == 409
    later = await opened(ben, subject="Again", follows=case_id)
    await send_waiting(worker, later)
    rows = {case["Id"]: case for case in (await office.get("/support")).json()}
    assert rows[await sf_id(worker, later)]["ParentId"] == salesforce


async def test_a_draft_is_kept_and_a_conflict_loses_no_text(ben: Visitor) -> None:
    key = await opened(ben)
    first = await ben.call("PUT", f"/api/drafts/{key}", {"content": "Phone", "version": 0})
    assert (first.status_code, first.json()["version"]) == (200, 1)
    second = await ben.call("PUT", f"/api/drafts/{key}", {"content": "Laptop", "version": 0})
    assert second.status_code == 409
    another_device = await Visitor(ben.settings).sign_in(ben.email)
    assert (await another_device.get(f"/api/drafts/{key}")).json() == {"content": "Phone", "version": 1}
    await ben.call("POST", f"/api/cases/{key}/comments", {"text": "Phone"})
    assert (await ben.get(f"/api/drafts/{key}")).json() == {"content": "", "version": 0}
