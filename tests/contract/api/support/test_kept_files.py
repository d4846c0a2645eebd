"""Files of support cases on bad days of their customer or of Salesforce: none is lost, and none is sent twice."""

from uuid import UUID

import httpx
import pytest
from sqlmodel import select

from portal_app.domain.errors import StorageFull
from portal_app.domain.profile.customer import Customer
from portal_app.models.support import CaseRow, MessageRow
from portal_app.models.user import IdMapping
from portal_app.wiring.portal import Portal
from tests.support.clients.case_files import case_at_salesforce, check, deliver, entries, open_case, upload
from tests.support.clients.visitor import Visitor


@pytest.mark.parametrize("message", ["opening", "reply"])
async def test_a_message_whose_files_find_no_room_is_refused_with_words_and_sent_whole_at_the_next_try(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient, message: str
) -> None:
    file = await upload(ben, b"no room\n" * 50_000, "log.txt")
    await check(worker, file)
    case_id = await open_case(ben, [file] if message == "opening" else [])
    if message == "reply":
        await deliver(worker, case_id)
        await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "The log", "uploads": [file]})
    (await office.post("/faults/salesforce", json={"special": {"storage_full": 1}})).raise_for_status()
    with pytest.raises(StorageFull) as full:
        await deliver(worker, case_id)
    waiting = await worker_message(worker, case_id)
    await worker.support.delivery.refuse(waiting, full.value.code)
    await worker.support.delivery.show(waiting)
    refused = (await entries(ben, case_id))[-1]
    assert (refused["id"], refused["state"], refused["refusal"]) == (str(waiting), "refused", "storage_full")
    assert [(each["name"], each["state"]) for each in refused["files"]] == [("log.txt", "checked")]
    # The team has the words, so the customer can go on talking to it.
    shown = await worker.support.cases.thread(await customer_of(worker, case_id), UUID(case_id))
    assert (shown.case.is_sent, shown.case.is_refused, shown.can_be_reopened) == (True, False, True)
    again = await ben.call("POST", f"/api/cases/{case_id}/comments/{waiting}/retry")
    assert again.status_code == 200, again.text
    sf_case_id = await deliver(worker, case_id)
    found = await case_at_salesforce(office, sf_case_id)
    assert [(each["PathOnClient"], each["ContentSize"]) for each in found["files"]] == [("log.txt", 400_000)]
    sent = (await entries(ben, case_id))[-1]
    assert (sent["state"], [bool(each["id"]) for each in sent["files"]]) == (None, [True])
    assert len(found["comments"]) == (message == "reply")


async def customer_of(worker: Portal, case_id: str) -> Customer:
    async with worker.database.unit_of_work() as session:
        case = await session.get(CaseRow, UUID(case_id))
        assert case is not None
        return await IdMapping.customer_of(session, case.user_id)


async def worker_message(worker: Portal, case_id: str) -> UUID:
    """Return the message of a case that is being sent."""
    query = select(MessageRow.id).where(MessageRow.case_id == UUID(case_id), MessageRow.state == "sending")
    async with worker.database.unit_of_work() as session:
        return (await session.exec(query)).one()


async def test_a_session_that_ends_while_a_message_is_typed_loses_neither_text_nor_files(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await open_case(ben)
    sf_case_id = await deliver(worker, case_id)
    typed = {"content": "何度も書いた長い文章", "version": 0}
    assert (await ben.call("PUT", f"/api/drafts/{case_id}", typed)).status_code == 200
    file = await upload(ben, b"a log", "log.txt", draft=case_id)
    ended = httpx.Cookies(ben.http.cookies)
    await ben.submit("/api/auth/logout")
    ben.http.cookies = ended
    message = {"text": typed["content"], "uploads": [file]}
    refused = await ben.call("POST", f"/api/cases/{case_id}/comments", message)
    assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
    # Signed in again, on another device: the text is in the box, its file is there once, and nothing was sent.
    other = await Visitor(ben.settings).sign_in(ben.email)
    assert (await other.get(f"/api/drafts/{case_id}")).json() == {"content": typed["content"], "version": 1}
    listed = (await other.get(f"/api/uploads?draft={case_id}")).json()["items"]
    assert [(each["id"], each["name"]) for each in listed] == [(file, "log.txt")]
    assert [entry["kind"] for entry in await entries(other, case_id)] == ["opening"]
    await check(worker, file)
    assert (await other.call("POST", f"/api/cases/{case_id}/comments", message)).status_code == 201
    await deliver(worker, case_id)
    found = await case_at_salesforce(office, sf_case_id)
    assert [each["CommentBody"] for each in found["comments"]] == [typed["content"]]
    assert [each["PathOnClient"] for each in found["files"]] == ["log.txt"]
    assert (await other.get(f"/api/drafts/{case_id}")).json()["content"] == ""
    assert (await other.get(f"/api/uploads?draft={case_id}")).json()["items"] == []


async def test_the_same_file_twice_is_told_and_sent_once(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await open_case(ben)
    sf_case_id = await deliver(worker, case_id)
    drafted = [
        await upload(ben, content, name, draft=case_id) for content, name in ((b"one", "a.txt"), (b"one", "b.txt"))
    ]
    assert [(await check(worker, each)).state for each in drafted] == ["checked", "duplicate"]
    listed = (await ben.get(f"/api/uploads?draft={case_id}")).json()["items"]
    assert [(each["name"], each["state"]) for each in listed] == [("a.txt", "checked"), ("b.txt", "duplicate")]
    # Of no draft: one checked before the message is taken, and one afterwards.
    early, late = await upload(ben, b"one", "c.txt"), await upload(ben, b"one", "d.txt")
    assert (await check(worker, early)).state == "checked"
    body = {"text": "Once", "uploads": [*drafted, early, late]}
    answer = await ben.call("POST", f"/api/cases/{case_id}/comments", body)
    assert answer.status_code == 201, answer.text
    assert (await check(worker, late)).state == "duplicate"
    await deliver(worker, case_id)
    stored = (await case_at_salesforce(office, sf_case_id))["files"]
    assert [file["PathOnClient"] for file in stored] == ["a.txt"]
    assert [file["name"] for file in (await entries(ben, case_id))[-1]["files"]] == ["a.txt"]
    # The next message may have it again, and so may two messages whose files are of no draft.
    again = [await upload(ben, b"one", "a.txt", draft=case_id), await upload(ben, b"one"), await upload(ben, b"one")]
    assert [(await check(worker, each)).state for each in again] == ["checked"] * 3
