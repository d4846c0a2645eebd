"""Many top-ups through two workers while processes die, answers are lost and a second hand charges the same invoices.

Ends when every purchase is over; then each has one paid invoice, one charge and one quota, or none of them, or is
visibly with the team.
"""

import asyncio
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from uuid import UUID, uuid4

import httpx

from benchmarks.soak.report import Report, say
from benchmarks.soak.trouble import Trouble
from portal_app.domain.errors import Conflict, PortalError
from portal_app.domain.sim.top_up import MB_IN_GB
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import build
from tests.support.clients.line_owners import LineOwner, Trail, line_owners, top_up, trails
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes
from tests.support.running.world import world

_EACH, _GB = 3, 2
_OPEN = "SELECT count(*) FROM top_ups WHERE state NOT IN ('done', 'stopped', 'with_team')"
_ENDS = "SELECT id, state FROM top_ups WHERE id = ANY(%s)"
_DONE = Trail(["Paid"], 1, [_GB * MB_IN_GB])


async def soak_top_ups(*, top_ups: int, minutes: float, flaky: float, seed: int, rest: float) -> Report:
    """Let so many purchases be made over so many minutes of trouble, let all end within seconds, and count."""
    random.seed(seed)
    settings = _settings()
    web, worker = build(settings, role="web"), build(settings, role="worker")
    driver = PortalDriver(web, worker, world().office, world().postgres.url())
    with tempfile.TemporaryDirectory(prefix="portal-soak-") as home:
        processes = Processes(Path(home))
        try:
            owners = await line_owners(driver, worker, -(-top_ups // _EACH))
            say(f"top-ups: {top_ups} for {len(owners)} lines, {minutes:g} minutes of trouble")
            processes.start_all("worker", "worker", settings=settings)
            trouble = Trouble(driver, processes, settings, flaky=flaky)
            lives = [asyncio.create_task(_buy(driver, owner, minutes * 60)) for owner in owners]
            night = asyncio.create_task(_charge_beside(driver))
            await trouble.make(minutes * 60)
            bought = [each for life in await asyncio.gather(*lives) for each in life]
            say("the trouble is over")
            seconds = await _come_to_rest(driver, trouble, rest)
            night.cancel()
            return await _report(driver, bought, trouble, seconds=seconds)
        finally:
            processes.kill_all()
            await driver.close()
            await web.close()
            await worker.close()


def _settings() -> Settings:
    """Return settings under which work is looked for often, and WHMCS charges unpaid invoices at once."""
    return world().settings_with(
        portal_poll_seconds=0.1, portal_retry_seconds=3.0, whmcs_settle_seconds=6.0, whmcs_timeout=5.0,
        freebit_pending_seconds=6, freebit_timeout=5.0, portal_top_up_poll_seconds=1.0,
        portal_top_up_unknown_seconds=20.0, portal_top_up_due_days=0, whmcs_rate="100000/minute",
        freebit_rate="100000/minute",
    )  # fmt: skip


async def _buy(driver: PortalDriver, owner: LineOwner, seconds: float) -> list[UUID]:
    """Buy three times, each with a key of its own that is pressed until it is answered."""
    bought: list[UUID] = []
    await asyncio.sleep(random.uniform(0, seconds / 2))
    while len(bought) < _EACH:
        key = uuid4().hex
        while True:
            try:
                bought.append(await top_up(driver, owner, _GB, key=key))
                break
            except Conflict:
                # One is under way: the page shows it instead of a button.
                await asyncio.sleep(1)
            except PortalError:
                await asyncio.sleep(0.5)
    return bought


async def _charge_beside(driver: PortalDriver) -> None:
    """Charge unpaid invoices of the portal as WHMCS's own run does, whenever it comes."""
    while True:
        await asyncio.sleep(random.uniform(0.5, 2))
        invoices = (await driver.office.get("/whmcs/invoices")).json()
        unpaid = [row["id"] for row in invoices if row["status"] == "Unpaid" and len(row["notes"]) == 36]
        for number in random.sample(unpaid, min(2, len(unpaid))):
            try:
                await driver._call_whmcs("CapturePayment", invoiceid=number)
            except (AssertionError, ValueError, httpx.HTTPError):
                # Flaky, or paid by ours meanwhile.
                continue


async def _come_to_rest(driver: PortalDriver, trouble: Trouble, rest: float) -> float:
    began = time.monotonic()
    while time.monotonic() < began + rest:
        await trouble.replace_the_dead()
        if not await driver.value(_OPEN):
            break
        await asyncio.sleep(1)
    return time.monotonic() - began


async def _report(driver: PortalDriver, bought: list[UUID], trouble: Trouble, *, seconds: float) -> Report:
    report = Report("Top-ups")
    states = {row[0]: row[1] for row in await driver.rows(_ENDS, bought)}
    report.figure("trouble", ", ".join(f"{count} {what}" for what, count in sorted(trouble.counts.items())))
    report.figure("how they ended", dict(Counter(states.values())))
    report.figure("seconds to rest", round(seconds))
    found = await trails(driver, bought)
    for each, trail in zip(bought, found, strict=True):
        state = states.get(each, "lost")
        ended = state in ("done", "stopped", "with_team")
        report.count("purchases that are over", int(ended), what=f"{each} {state}")
        paid, quotas = trail.invoices.count("Paid"), len(trail.quotas)
        wanted = 0 if state == "stopped" else 1
        report.count("invoices paid", paid, expected=wanted, what=f"{each} {state} {trail}")
        report.count("charges", trail.charges, expected=wanted, what=f"{each} {state} {trail}")
        if state != "with_team":
            report.count("quotas", quotas, expected=wanted, what=f"{each} {state} {trail}")
        report.count("done as they should", int(trail == _DONE), expected=int(state == "done"), what=str(each))
    return report
