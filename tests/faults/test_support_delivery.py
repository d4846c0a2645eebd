"""Customers' messages on bad days: each is at Salesforce once, and those of a case are in order."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from portal_app.infra.settings import Settings
from tests.faults.boundary import Boundaries
from tests.support.clients.asking import open_case, reply_to
from tests.support.clients.portal_driver import Buyer, PortalDriver
from tests.support.running.processes import Processes
from tests.support.waiting import until

STEPS = ("claim_message", "send_message", "show_message")
REPLIES = ("First, 一つ目", "Second\n\n" + "長" * 2000, "Third", "Third")


@dataclass(frozen=True)
class Talk:
    """A customer's case, with the texts that Salesforce is to have of it."""

    buyer: Buyer
    case_id: UUID
    opening: str

    async def at_salesforce(self, driver: PortalDriver) -> dict[str, Any]:
        """Return the one case that Salesforce has, with its comments."""
        rows = (await driver.office.get("/support")).json()
        (found,) = [row for row in rows if row["Portal_Reference__c"] == str(self.case_id)]
        return dict(found)

    async def texts(self, driver: PortalDriver) -> list[str]:
        """Return the texts of the customer's comments, in Salesforce's order."""
        comments = (await self.at_salesforce(driver))["comments"]
        return [each["CommentBody"] for each in sorted(comments, key=lambda each: (each["CreatedDate"], each["Id"]))]


async def begun(driver: PortalDriver) -> Talk:
    """Open a case for a new customer."""
    buyer = await driver.buyer(card=False)
    case_id = await open_case(driver.web, buyer.customer, f"Why, {buyer.email}?")
    return Talk(buyer, case_id, f"Why, {buyer.email}?")


async def wait_until_all_sent(driver: PortalDriver, talks: list[Talk]) -> None:
    """Wait until no message of these cases is on its way."""
    ids = [talk.case_id for talk in talks]

    async def sent() -> bool:
        query = "SELECT count(*) FROM support_messages WHERE case_id = ANY(%s) AND state <> 'sent'"
        return await driver.value(query, ids) == 0

    await until(sent, "every message is sent")


async def expect_once_in_order(driver: PortalDriver, talk: Talk, texts: tuple[str, ...]) -> None:
    """Check what Salesforce has of a case, and that the customer sees each message once."""
    case = await talk.at_salesforce(driver)
    assert case["Description"] == talk.opening
    assert "".join(await talk.texts(driver)) == "".join(texts)
    thread = await driver.web.support.cases.thread(talk.buyer.customer, talk.case_id)
    shown = [entry.text for entry in thread.entries if entry.kind != "status"]
    assert shown == [talk.opening, *texts]


@pytest.mark.parametrize("messages", ["openings", "replies"])
async def test_worker_killed_between_an_effect_and_its_record_sends_each_message_once(
    driver: PortalDriver, processes: Processes, settings: Settings, boundaries: Boundaries, messages: str
) -> None:
    talks = list(await asyncio.gather(*(begun(driver) for _ in STEPS)))
    texts = REPLIES[:2] if messages == "replies" else ()
    if texts:
        (worker,) = processes.start_all("worker", settings=settings)
        await wait_until_all_sent(driver, talks)
        worker.kill()
    for talk, step in zip(talks, STEPS, strict=True):
        ids = [await reply_to(driver.web, talk.buyer.customer, talk.case_id, text) for text in texts]
        opening = await driver.value("SELECT id FROM support_messages WHERE case_id = %s AND seq = 0", talk.case_id)
        await boundaries.hold(f"support-message-{ids[0] if ids else opening}", step)
    (worker,) = processes.start_all("worker", settings=settings)
    await boundaries.wait_for_held(len(STEPS))
    worker.kill()
    await boundaries.let_go()
    processes.start_all("worker", settings=settings)
    await wait_until_all_sent(driver, talks)
    for talk in talks:
        await expect_once_in_order(driver, talk, texts)


TROUBLES: dict[str, dict[str, Any]] = {
    "outage": {"down": True},
    "lost answers": {"lose_answers": 4, "operations": ["composite"]},
    "locked rows": {"special": {"lock_row": 6}, "operations": ["composite"]},
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_messages_of_several_customers_arrive_once_and_in_order(
    driver: PortalDriver, processes: Processes, settings: Settings, trouble: str
) -> None:
    processes.start_all("worker", settings=settings)
    talks = list(await asyncio.gather(*(begun(driver) for _ in range(3))))
    if trouble != "outage":
        await wait_until_all_sent(driver, talks)
    await driver.set_faults("salesforce", **TROUBLES[trouble])
    for text in REPLIES:
        await asyncio.gather(*(reply_to(driver.web, talk.buyer.customer, talk.case_id, text) for talk in talks))
    if trouble == "outage":
        query = "SELECT count(*) FROM support_messages WHERE case_id = ANY(%s) AND state = 'sending'"

        async def tried() -> bool:
            return await driver.value(query, [talk.case_id for talk in talks]) == len(talks)

        await until(tried, "the first message of each case is being sent, and the others wait")
        await driver.set_faults("salesforce")
    await wait_until_all_sent(driver, talks)
    await driver.set_faults("salesforce")
    for talk in talks:
        await expect_once_in_order(driver, talk, REPLIES)


async def test_reply_to_a_case_that_was_closed_meanwhile_reopens_it_unless_the_org_refuses_and_can_be_tried_again(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    talk = await begun(driver)
    (worker,) = processes.start_all("worker", settings=settings)
    await wait_until_all_sent(driver, [talk])
    worker.kill()
    message = await reply_to(driver.web, talk.buyer.customer, talk.case_id, "One more thing")
    await reply_to(driver.web, talk.buyer.customer, talk.case_id, "And another")
    case = await talk.at_salesforce(driver)
    (await driver.office.post(f"/support/{case['Id']}/set", json={"Status": "Resolved"})).raise_for_status()
    await driver.set_faults("salesforce", special={"closed_locked": -1})
    processes.start_all("worker", settings=settings)

    async def refused() -> bool:
        query = "SELECT count(*) FROM support_messages WHERE case_id = %s AND refusal = 'reopening_refused'"
        return await driver.value(query, talk.case_id) == 2

    await until(refused, "both replies are refused, and why is known")
    assert ((await talk.at_salesforce(driver))["IsClosed"], await talk.texts(driver)) == (True, [])
    await driver.set_faults("salesforce")
    await driver.web.support.conversation.retry(talk.buyer.customer, message)

    async def is_open() -> bool:
        return not (await talk.at_salesforce(driver))["IsClosed"]

    await until(is_open, "the case is open again")
    assert await talk.texts(driver) == ["One more thing"]
