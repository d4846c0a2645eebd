"""A file and its message when the worker is killed between them: one document, one comment."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

from portal_app.domain.idempotency import OPEN_CASE, REPLY_TO_CASE, Call
from portal_app.domain.support.case import NewCase
from portal_app.infra.settings import Settings
from tests.support.clients.portal_driver import Buyer, PortalDriver
from tests.support.running.processes import Processes
from tests.support.waiting import until

CONTENT = "記録\n".encode() * 60_000


async def content() -> AsyncIterator[bytes]:
    yield CONTENT


async def opened(driver: PortalDriver, buyer: Buyer) -> UUID:
    new = NewCase.parse(category="other", subject="Files", text="A log follows")
    call = Call(buyer.customer.user_id, OPEN_CASE, uuid4().hex, new.fingerprint())
    talk = driver.web.support.conversation
    return UUID(
        await driver.web.idempotency.once_shared(call, lambda claim: talk.open(buyer.customer, new, claim=claim))
    )


async def replied_with_file(driver: PortalDriver, buyer: Buyer, case_id: UUID) -> None:
    user_id, uploads = buyer.customer.user_id, driver.web.uploads
    file = UUID(await uploads.uploads.begin(user_id, name="記録.txt", size=len(CONTENT), draft=str(case_id)))
    await uploads.receiving.receive(user_id, file, offset=0, piece=content())
    call = Call(user_id, REPLY_TO_CASE, uuid4().hex, str(file))
    talk = driver.web.support.conversation
    await driver.web.idempotency.once_shared(
        call, lambda claim: talk.reply(buyer.customer, case_id, "Here it is", claim=claim, uploads=[file])
    )


async def case_of(driver: PortalDriver, case_id: UUID) -> dict[str, Any]:
    """Return the case at Salesforce, empty until it is there."""
    rows = (await driver.office.get("/support")).json()
    return next((row for row in rows if row["Portal_Reference__c"] == str(case_id)), {})


async def test_a_worker_killed_between_file_and_message_leaves_one_of_each(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    quick = settings.model_copy(update={"sf_timeout": 3.0, "sf_long_timeout": 3.0})
    buyer = await driver.buyer(card=False)
    case_id = await opened(driver, buyer)
    (worker,) = processes.start_all("worker", settings=quick)

    async def is_open() -> bool:
        return bool(await case_of(driver, case_id))

    await until(is_open, "the case is open")
    await driver.set_faults("salesforce", broken="silence", operations=["composite"])
    await replied_with_file(driver, buyer, case_id)
    # Nobody takes it back.
    await driver.rows("UPDATE support_messages SET send_at = created_at WHERE case_id = %s RETURNING id", case_id)

    async def has_file() -> bool:
        return len((await case_of(driver, case_id))["files"]) == 1

    await until(has_file, "the file is there")
    worker.kill()
    await driver.all_well()
    processes.start_all("worker", settings=quick)

    async def has_message() -> bool:
        query = "SELECT count(*) FROM support_messages WHERE case_id = %s AND state <> 'sent'"
        return await driver.value(query, case_id) == 0

    await until(has_message, "the message is sent")
    found = await case_of(driver, case_id)
    assert [(file["PathOnClient"], file["ContentSize"]) for file in found["files"]] == [("記録.txt", len(CONTENT))]
    assert [comment["CommentBody"] for comment in found["comments"]] == ["Here it is"]
