"""Replies of many customers while Salesforce is away: each is there once, in order, and soon after it is back."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.soak.report import Report, say
from portal_app.domain.profile.customer import Customer
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal, build
from tests.support.clients.asking import open_case, reply_to
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes
from tests.support.running.world import world

_SAY_SECONDS, _LONGEST_REST = 60.0, 600.0
# How soon after the outage everything is to be there.
CAUGHT_UP_SECONDS = 30.0
_WAITING = "SELECT count(*) FROM support_messages WHERE state NOT IN ('sent', 'withdrawn')"
_Talk = tuple[Customer, UUID]


async def soak_replies(*, replies: int, customers: int, minutes: float) -> Report:
    """Let customers write while Salesforce is away for so many minutes and a worker is killed; then count."""
    settings = world().settings_with(portal_poll_seconds=0.1, portal_retry_seconds=10.0, portal_undo_seconds=0)
    web, worker = build(settings, role="web"), build(settings, role="worker")
    driver = PortalDriver(web, worker, world().office, world().postgres.url())
    with tempfile.TemporaryDirectory(prefix="portal-soak-") as home:
        processes = Processes(Path(home))
        try:
            processes.start_all("worker", "worker", settings=settings)
            say(f"replies: {replies} of {customers} customers, {minutes:g} minutes without Salesforce")
            talks = [await _begun(driver) for _ in range(customers)]
            await _wait_until_sent(driver)
            await driver.set_faults("salesforce", down=True)
            await _write(driver.web, talks, replies, minutes * 60, restart=lambda: _restart(processes, settings))
            await driver.set_faults("salesforce")
            say("Salesforce is back")
            return await _report(driver, talks, replies, await _wait_until_sent(driver))
        finally:
            await driver.all_well()
            processes.kill_all()
            await driver.close()
            await web.close()
            await worker.close()


async def _begun(driver: PortalDriver) -> _Talk:
    customer = (await driver.buyer(card=False)).customer
    return customer, await open_case(driver.web, customer, "Opening")


async def _write(web: Portal, talks: list[_Talk], replies: int, seconds: float, *, restart: Any) -> None:
    """Let the customers write in turn, over the whole time; in its middle a worker dies."""
    for number in range(replies):
        customer, case_id = talks[number % len(talks)]
        await reply_to(web, customer, case_id, _text(number))
        if number == replies // 2:
            restart()
        await asyncio.sleep(seconds / replies)


def _restart(processes: Processes, settings: Settings) -> None:
    processes.all[0].kill()
    processes.start("worker", settings)


def _text(number: int) -> str:
    """Return the text of a reply; every seventh is longer than one comment."""
    return f"Reply {number}" + (" " + "長" * 1500 if number % 7 == 0 else "")


async def _wait_until_sent(driver: PortalDriver) -> float:
    began = told = time.monotonic()
    while await driver.value(_WAITING) and time.monotonic() < began + _LONGEST_REST:
        if time.monotonic() > told + _SAY_SECONDS:
            told = time.monotonic()
            say(f"{await driver.value(_WAITING)} messages wait")
        await asyncio.sleep(0.2)
    return time.monotonic() - began


async def _report(driver: PortalDriver, talks: list[_Talk], replies: int, seconds: float) -> Report:
    report = Report("Replies while Salesforce was away")
    report.figure("seconds until all were there", round(seconds, 1))
    report.count(f"there within {CAUGHT_UP_SECONDS:g} s", int(seconds <= CAUGHT_UP_SECONDS))
    cases = {row["Portal_Reference__c"]: row for row in (await driver.office.get("/support")).json()}
    for place, (_, case_id) in enumerate(talks):
        comments = sorted(cases[str(case_id)]["comments"], key=lambda row: (row["CreatedDate"], row["Id"]))
        found = "".join(row["CommentBody"] for row in comments)
        wanted = [_text(number).replace(" ", "") for number in range(place, replies, len(talks))]
        shown = found.replace(" ", "")
        for text in wanted:
            # "Reply 1" begins "Reply 10" as well: what follows a reply is the next one.
            report.count("replies at Salesforce", shown.count(text + "Reply") + shown.endswith(text))
        report.count("conversations in order", int(shown == "".join(wanted)), what=str(case_id))
    return report
