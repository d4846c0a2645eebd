"""The mail server is away for an hour: every mail arrives once, later, and what led to it is not held up."""

from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes
from tests.support.waiting import until

# With waits of 1, 2, 4 ... 300 seconds an hour holds nineteen tries.
TRIES_OF_AN_HOUR = 19


async def test_mail_is_sent_once_after_an_hour_without_mail_server_and_a_killed_worker(
    driver: PortalDriver, worker_side: Portal, processes: Processes, settings: Settings
) -> None:
    quick = settings.model_copy(update={"portal_retry_seconds": 0.05})
    (worker,) = processes.start_all("worker", settings=quick)
    buyer = await driver.buyer(card=False)
    user_id = buyer.customer.user_id
    await driver.set_faults("mail", down=True)
    async with worker_side.database.unit_of_work() as session:
        await worker_side.notifications.email_outbox.enqueue(
            session, "welcome", recipient=buyer.email, user_id=user_id, customer_number=buyer.customer.customer_number
        )
    workflow = "mail-" + str(await driver.value("SELECT id FROM mails WHERE user_id = %s", user_id))
    count = "SELECT count(*) FROM dbos.operation_outputs WHERE workflow_uuid = %s AND function_name = 'send'"

    async def tried(times: int) -> bool:
        return int(await driver.value(count, workflow)) >= times

    await until(lambda: tried(5), "the mail was tried five times")
    worker.kill()
    processes.start_all("worker", settings=quick)
    await until(lambda: tried(TRIES_OF_AN_HOUR), "an hour's tries")
    assert await driver.mails_to(buyer.email) == []
    await driver.set_faults("mail")

    async def done() -> bool:
        query = "SELECT status FROM dbos.workflow_status WHERE workflow_uuid = %s"
        return await driver.value(query, workflow) == "SUCCESS"

    await until(done, "the mail's workflow ended")
    assert len(await driver.mails_to(buyer.email, containing=buyer.customer.customer_number)) == 1


async def test_mail_is_written_in_the_language_its_customer_has_when_it_goes_out(
    driver: PortalDriver, worker_side: Portal
) -> None:
    buyer = await driver.buyer(card=False)
    user_id = buyer.customer.user_id
    async with worker_side.database.unit_of_work() as session:
        await worker_side.notifications.email_outbox.enqueue(
            session, "welcome", recipient=buyer.email, user_id=user_id, customer_number=buyer.customer.customer_number
        )
    mail_id = await driver.value("SELECT id FROM mails WHERE user_id = %s", user_id)
    await driver.value("UPDATE users SET language = 'ja' WHERE id = %s RETURNING 1", user_id)
    await worker_side.notifications.email_outbox.send(mail_id)
    await worker_side.notifications.email_outbox.send(mail_id)
    (mail,) = await driver.mails_to(buyer.email)
    assert "準備ができました" in mail["subject"] and "お客さま番号" in mail["text"]
    assert '<html lang="ja">' in mail["html"] and "/ja/dashboard" in mail["html"]
