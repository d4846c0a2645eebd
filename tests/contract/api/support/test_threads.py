"""Conversations by API: what is asked before it is sent, what goes along, how they change, end and are rated."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from portal_app.domain.profile.customer import Customer
from portal_app.models.support import AnswerTimeRow, CaseRow, EntryRow
from portal_app.wiring.portal import Portal
from tests.contract.api.support.talking import QUESTION, agent_does, opened, sf_id, texts, thread
from tests.support.clients.case_files import send_waiting
from tests.support.clients.visitor import Visitor, mailed
from tests.support.running.world import world


async def test_a_secret_is_asked_about_and_leaves_only_when_confirmed(ben: Visitor) -> None:
    wanted = QUESTION | {"text": "My card is 4242 4242 4242 4242"}
    refused = await ben.call("POST", "/api/cases", wanted)
    assert (refused.status_code, refused.json()["code"]) == (409, "secrets_found")
    taken = await ben.call("POST", "/api/cases", wanted | {"confirm_secrets": True})
    assert taken.status_code == 201
    path, message = f"/api/cases/{taken.json()['id']}/comments", {"text": "暗証番号は1234です"}
    assert (await ben.call("POST", path, message)).json()["code"] == "secrets_found"
    assert (await ben.call("POST", path, message | {"confirm_secrets": True})).status_code == 201


async def test_facts_about_an_own_thing_go_along_and_anothers_is_not_found(
    ben: Visitor, aiko: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    invoice = (await ben.get("/api/invoices")).json()["items"][0]
    about = f"invoice:{invoice['id']}"
    facts = (await ben.get(f"/api/cases/context?about={about}")).json()["facts"]
    assert facts[0] == {"kind": "invoice", "value": invoice["number"] or str(invoice["id"])}
    case_id = await opened(ben, about=about)
    await send_waiting(worker, case_id)
    salesforce = await sf_id(worker, case_id)
    row = next(each for each in (await office.get("/support")).json() if each["Id"] == salesforce)
    assert row["Portal_About__c"] == about and f"invoice: {facts[0]['value']}" in row["Description"]
    for guess in (about, "invoice:99999999", "service:99999999", "order:x", "invoice:..", "other:1"):
        wanted = await aiko.call("POST", "/api/cases", QUESTION | {"about": guess})
        read = await aiko.get(f"/api/cases/context?about={guess}")
        assert (wanted.status_code, read.status_code, wanted.json()["code"]) == (404, 404, "not_found"), guess


async def test_comments_that_agents_edit_unpublish_or_delete_follow(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben)
    await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "My own words"})
    await send_waiting(worker, case_id)
    salesforce = await sf_id(worker, case_id)
    rows = (await office.get("/support")).json()
    (own,) = next(each for each in rows if each["Id"] == salesforce)["comments"]
    made = [await agent_does(worker, office, case_id, "comment", text=text) for text in ("One", "Two", "Three")]
    await agent_does(worker, office, case_id, "change", comment=own["Id"], text="My own ****")
    await agent_does(worker, office, case_id, "change", comment=made[0], text="One, corrected")
    await agent_does(worker, office, case_id, "change", comment=made[1], public=False)
    await agent_does(worker, office, case_id, "delete", comment=made[2])
    assert await texts(ben, case_id) == [QUESTION["text"], "My own ****", "One, corrected"]
    for hidden in ("Two", "Three", "words"):
        found = (await ben.get(f"/api/cases?q={hidden}")).json()["items"]
        assert case_id not in {case["id"] for case in found}, hidden


async def test_a_html_mail_is_words_and_its_quotes_are_apart(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben)
    await send_waiting(worker, case_id)
    # Neither a picture elsewhere nor one of the mail's own is loaded.
    pictures = '<img src="http://out.example/p.png"><img src="cid:logo@x">'
    html = f"<p>Done {pictures}</p><blockquote>Why twice?</blockquote><script>x</script>"
    await agent_does(worker, office, case_id, "mail", html=html, to=ben.email)
    entry = (await thread(ben, case_id))["entries"][-1]
    assert (entry["kind"], entry["side"], entry["text"], entry["quoted"]) == ("mail", "team", "Done", "> Why twice?")


async def test_a_long_thread_comes_in_pages_and_status_changes_stand_in_it(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben)
    await send_waiting(worker, case_id)
    await agent_does(worker, office, case_id, "burst", count=120, text="No.")
    await agent_does(worker, office, case_id, "set", Status="Resolved")
    await agent_does(worker, office, case_id, "set", Status="Working")
    pages: list[list[dict[str, Any]]] = []
    earlier = ""
    while True:
        answer = (await ben.get(f"/api/cases/{case_id}{earlier}")).json()
        pages.insert(0, answer["entries"])
        if answer["earlier"] is None:
            break
        earlier = f"?before={answer['earlier']}"
    kinds = [[entry["kind"] for entry in page if entry["kind"] != "status"] for page in pages]
    assert [len(each) for each in kinds] == [21, 50, 50]
    shown = [entry["text"] for page in pages for entry in page if entry["kind"] == "comment"]
    assert shown == [f"No. {number}" for number in range(1, 121)]
    assert {entry["text"] for page in pages for entry in page if entry["kind"] == "status"} == {"closed", "reopened"}
    await worker.support.changes.apply([await sf_id(worker, case_id)])
    calls = (await office.get("/calls")).json()["salesforce"]
    assert (await ben.get(f"/api/cases/{case_id}")).status_code == 200
    assert (await office.get("/calls")).json()["salesforce"] == calls


async def test_a_merged_case_leads_to_the_other(ben: Visitor, worker: Portal, office: httpx.AsyncClient) -> None:
    master, other = await opened(ben), await opened(ben, subject="The same again")
    for case_id in (master, other):
        await send_waiting(worker, case_id)
    await agent_does(worker, office, other, "comment", text="Both are one")
    await agent_does(worker, office, other, "merge", into=await sf_id(worker, master))
    await worker.support.changes.apply([await sf_id(worker, master)])
    assert (await thread(ben, other))["merged_into"] == master
    assert await texts(ben, master) == [QUESTION["text"], "Both are one"]
    listed = {case["id"] for case in (await ben.get("/api/cases")).json()["items"]}
    assert master in listed and other not in listed
    await ben.call("POST", f"/api/cases/{other}/comments", {"text": "To the master"})
    await send_waiting(worker, other)
    await worker.support.changes.apply([await sf_id(worker, master)])
    assert (await texts(ben, master))[-1] == "To the master"


async def test_an_answer_that_crosses_with_a_message_is_unread_until_it_is_seen(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben)
    await send_waiting(worker, case_id)
    await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "Can be taken back"})
    async with worker.database.unit_of_work() as session:
        # The message was written some seconds ago.
        case = await session.get(CaseRow, UUID(case_id))
        assert case is not None and case.seen_at is not None
        case.seen_at -= timedelta(seconds=5)
        customer = Customer(case.user_id, 0, "", "", "")
    await agent_does(worker, office, case_id, "comment", text="Quick answer")
    await send_waiting(worker, case_id)
    crossed = await thread(ben, case_id)
    assert (crossed["turn"], crossed["is_unread"]) == ("team", True)
    tasks = (await ben.get("/api/me/summary")).json()["tasks"]
    assert case_id in {task["id"] for task in tasks if task["kind"] == "case_answered"}
    await worker.support.cases.mark_seen(customer, UUID(case_id))
    assert not (await thread(ben, case_id))["is_unread"]


async def test_our_team_has_seen_what_its_owner_opened(ben: Visitor, worker: Portal, office: httpx.AsyncClient) -> None:
    case_id = await opened(ben)
    await send_waiting(worker, case_id)
    await agent_does(worker, office, case_id, "comment", text="We look")
    await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "And?"})
    await send_waiting(worker, case_id)
    assert not (await thread(ben, case_id))["is_seen_by_team"]
    page = f"{world().office}/support/{await sf_id(worker, case_id)}"
    assert "And?" in (await office.get(page)).text
    assert (await office.post(f"{page}/open", data={})).headers["location"].endswith("?note=worked")
    await worker.support.changes.apply([await sf_id(worker, case_id)])
    assert (await thread(ben, case_id))["is_seen_by_team"]


async def test_a_case_is_closed_by_its_customer_unless_that_is_taken_back_and_rated_once_for_each_closing(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben)
    await send_waiting(worker, case_id)
    path, good = f"/api/cases/{case_id}", {"grade": "3", "words": "早い"}
    assert (await ben.call("POST", f"{path}/rating", good)).status_code == 409
    wish = (await ben.call("POST", f"{path}/solved")).json()["id"]
    assert (await thread(ben, case_id))["solving"]["id"] == wish
    assert (await ben.call("POST", f"{path}/solved")).status_code == 409
    await ben.call("DELETE", f"{path}/comments/{wish}")
    await send_waiting(worker, case_id)
    assert not (await thread(ben, case_id))["is_closed"]
    await ben.call("POST", f"{path}/solved")
    await send_waiting(worker, case_id)
    closed = await thread(ben, case_id)
    assert (closed["is_closed"], closed["rating"], closed["solving"]) == (True, "possible", None)
    assert (await ben.get(f"{path}/rating?grade=1")).status_code in (404, 405)
    assert [(await ben.call("POST", f"{path}/rating", body)).status_code for body in (good, good)] == [201, 409]
    assert (await ben.call("POST", f"{path}/rating", {"grade": "5"})).status_code == 422
    await send_waiting(worker, case_id)
    salesforce = await sf_id(worker, case_id)
    row = next(each for each in (await office.get("/support")).json() if each["Id"] == salesforce)
    assert (row["Portal_Rating__c"], row["Portal_Rating_Words__c"], row["Status"]) == (3, "早い", "Closed")
    assert (await thread(ben, case_id))["rating"] == "given"


async def test_an_answer_is_expected_by_what_was_promised_or_by_what_was_usual(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben, category="vpn")
    await send_waiting(worker, case_id)
    async with worker.database.unit_of_work() as session:
        case = await session.get(CaseRow, UUID(case_id))
        assert case is not None
        for number in range(20):
            other = CaseRow(user_id=case.user_id, subject="x", category="vpn", opened_at=case.opened_at, is_shown=False)
            session.add(other)
            await session.flush()
            entry = {
                "user_id": case.user_id,
                "position": 1,
                "kind": "comment",
                "side": "team",
                "author": "",
                "text": "",
            }
            session.add(EntryRow(case_id=other.id, sf_id=f"00a{number:015}", at=case.opened_at, **entry))
    await worker.support.cases.answer_times.measure()
    async with worker.database.unit_of_work() as session:
        usual = await session.get(AnswerTimeRow, "vpn")
        assert usual is not None and (usual.seconds, usual.samples >= 20) == (0, True)
        usual.seconds = 8 * 3600
    assert (await thread(ben, case_id))["answer"]["kind"] == "usual"
    await agent_does(worker, office, case_id, "milestone", due="2031-01-06T10:00:00+09:00")
    assert (await thread(ben, case_id))["answer"] == {"kind": "promised", "at": "2031-01-06T01:00:00Z"}
    await agent_does(worker, office, case_id, "milestone", done=True)
    await agent_does(worker, office, case_id, "milestone", due="2020-01-06T10:00:00+09:00")
    assert (await thread(ben, case_id))["answer"]["kind"] == "late"
    await agent_does(worker, office, case_id, "comment", text="Here it is")
    assert (await thread(ben, case_id))["answer"] is None


async def test_answers_come_by_mail_once_in_a_thread_and_can_be_stopped_by_a_post_alone(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben, subject="Mails, 至急")
    await send_waiting(worker, case_id)
    ids: list[str] = []
    for text in ("First answer", "My password is: hunter2"):
        await agent_does(worker, office, case_id, "comment", text=text)
        await agent_does(worker, office, case_id, "comment", text="And one more thing", public=False)
        for _ in range(2):
            await worker.support.changes.tell(UUID(case_id))
        mail = await mailed(worker, ben.email, "case_answered")
        # No word that an agent writes for colleagues, and no secret.
        assert mail["answer"] == (text if "First" in text else "")
        assert mail["references"] == " ".join(ids)
        async with worker.database.unit_of_work() as session:
            case = await session.get(CaseRow, UUID(case_id))
            assert case is not None and len(case.mail_ids) == len(ids) + 1
            ids = [str(each) for each in case.mail_ids]
        await worker.notifications.email_outbox.send(UUID(ids[-1]))
    # What comes in, such as an out-of-office notice, is neither told nor reopens anything.
    coming_in = {"incoming": True, "from": ben.email, "subject": "Out of office"}
    await agent_does(worker, office, case_id, "mail", text="I am away", **coming_in)
    await worker.support.changes.tell(UUID(case_id))
    first, second = (await office.get("/mail", params={"to": ben.email})).json()[-2:]
    assert (second["subject"], first["subject"]) == (f"Re: {first['subject']}", f"Case {case.number}: Mails, 至急")
    await expect_thread_that_can_be_stopped(ben, second, first)


async def expect_thread_that_can_be_stopped(ben: Visitor, second: dict[str, Any], first: dict[str, Any]) -> None:
    """Check the headers of the second mail about a case, and what its link does."""
    headers = dict(second["headers"])
    assert headers["References"] == headers["In-Reply-To"] == first["message_id"]
    assert (headers["Auto-Submitted"], headers["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = headers["List-Unsubscribe"].strip("<>").removeprefix(ben.settings.portal_url)

    async def is_wanted() -> bool:
        topics = (await ben.get("/api/me/notifications")).json()["items"]
        return next(bool(each["mail"]) for each in topics if each["topic"] == "support")

    stranger = Visitor(ben.settings)
    assert ((await stranger.get(path)).status_code, await is_wanted()) == (200, True)
    assert (await stranger.get(path.replace("/unsubscribe/", "/unsubscribe/x"))).status_code == 404
    stopped = await stranger.http.post(path, data={"List-Unsubscribe": "One-Click"})
    assert (stopped.status_code, await is_wanted()) == (200, False)
    await ben.call("PATCH", "/api/me/notifications", {"items": [{"topic": "support", "mail": True}]})


async def test_a_mail_can_be_replied_to_where_salesforce_threads_replies(
    ben: Visitor, worker: Portal, office: httpx.AsyncClient
) -> None:
    case_id = await opened(ben)
    await send_waiting(worker, case_id)
    changes = worker.support.changes
    for reply_to in ("", "support@example.jp"):
        changes._reply_to = reply_to
        await agent_does(worker, office, case_id, "set", Portal_Threading_Id__c="<thread@sf>")
        await agent_does(worker, office, case_id, "comment", text="Hello")
        await changes.tell(UUID(case_id))
        mail = await mailed(worker, ben.email, "case_answered")
        assert (mail["reply_to"], mail["references"].startswith("<thread@sf>")) == (reply_to, bool(reply_to))
    changes._reply_to = ""


@pytest.mark.parametrize("action", ["solved", "rating"])
async def test_another_customers_case_is_neither_closed_nor_rated(ben: Visitor, aiko: Visitor, action: str) -> None:
    case_id = await opened(ben)
    answer = await aiko.call("POST", f"/api/cases/{case_id}/{action}", {"grade": "3"} if action == "rating" else None)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
