"""Changes of lines while workers die, answers are lost and jobs fail: one job at the carrier, one bill at WHMCS."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from portal_app.infra.settings import Settings
from portal_app.services.sim_changes.line_orders import workflow_of
from portal_app.wiring.portal import Portal
from tests.faults.boundary import Boundaries
from tests.support.clients.line_changers import (
    PLAN_5GB,
    PLAN_10GB,
    PLAN_25GB,
    VOICE_MAIL,
    Bills,
    bills_of,
    change_plan,
    jobs_of,
    switch,
    to_5g,
    voice_lines,
    wait_for_change,
    wake,
)
from tests.support.clients.line_owners import LineOwner, end_jobs
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes
from tests.support.waiting import until

AT_FIRST = {PLAN_10GB: 2550}
UNCHANGED, WITH_OPTION = Bills(AT_FIRST, 0, [], []), Bills({**AT_FIRST, VOICE_MAIL: 300}, 0, [], [])
BIGGER_PLAN, SMALLER_PLAN = Bills({PLAN_25GB: 3500}, 0, [950], []), Bills({PLAN_5GB: 2000}, 0, [], [605])


@pytest.fixture(scope="module")
def patient(settings: Settings) -> Settings:
    """Settings of workers under which a change is late only when a test says so."""
    return settings.model_copy(update={"freebit_pending_seconds": 3600, "freebit_lock_seconds": 3600})


@dataclass(frozen=True)
class Scene:
    """A change of a line."""

    driver: PortalDriver
    worker: Portal
    owner: LineOwner
    order: UUID

    async def set(self, assignments: str) -> None:
        """Change the row as time would, and have the worker look."""
        await self.driver.rows(f"UPDATE line_orders SET {assignments} WHERE id = %s", self.order)
        await wake(self.worker, self.order)

    async def reach(self, *states: str) -> None:
        await wait_for_change(self.driver, self.order, *states)

    async def finish_job(self, action: str = "finish", *, count: int = 1) -> None:
        """Let the carrier end its job, once it has one; `count` jobs have ended then, this way or by themselves."""

        async def ended() -> bool:
            await end_jobs(self.driver, self.owner.number, action)
            jobs = (await self.driver.office.get("/sim-lines")).json()["jobs"]
            own = [job for job in jobs if job["account"] == self.owner.number and job["kind"] != "activate"]
            return sum(job["state"] != "open" for job in own) >= count

        await until(ended, "a job at the carrier")

    async def pass_longest_time(self) -> None:
        """Let a change be overdue at the carrier."""
        old = "interval '3 hours'"
        await self.driver.rows(f"UPDATE line_changes SET started_at = started_at - {old}, held_until = now() - {old}")
        await self.set(f"asked_at = asked_at - {old}, sent_at = sent_at - {old}, polled_at = now() - {old}")

    async def reach_first(self) -> None:
        """Let the cut-off and then the 1st come: the carrier has the plan, and the line shows it."""
        await self.reach("held")
        await self.set("sends_at = now()")
        await self.reach("booked")
        await self.finish_job()
        await self.set("effective_on = (now() AT TIME ZONE 'Asia/Tokyo')::date")


async def begin(driver: PortalDriver, worker: Portal, ask: Callable[..., Awaitable[UUID]]) -> Scene:
    (owner,) = await voice_lines(driver, worker, 1)
    return Scene(driver, worker, owner, await ask(driver, owner))


ONE_JOB = {"send": "voice", "order_option": "voice", "accept_option": "voice", "rebill": "plan", "correct_bill": "plan"}


async def expect_done_once(scene: Scene, kind: str) -> None:
    await scene.reach("done")
    bills = await bills_of(scene.driver, scene.owner, scene.order)
    assert bills == (BIGGER_PLAN if kind == "plan" else WITH_OPTION)
    assert await jobs_of(scene.driver, scene.owner, kind) == 1


async def test_one_effect_when_worker_is_killed_between_any_effect_and_its_record(
    driver: PortalDriver, worker_side: Portal, processes: Processes, patient: Settings, boundaries: Boundaries
) -> None:
    scenes: dict[str, Scene] = {}
    for step, kind in ONE_JOB.items():
        scenes[step] = await begin(driver, worker_side, change_plan if kind == "plan" else switch)
        await boundaries.hold(workflow_of(scenes[step].order), step)
    (worker,) = processes.start_all("worker", settings=patient)
    for step, scene in scenes.items():
        if ONE_JOB[step] == "plan":
            await scene.reach_first()
        elif step != "send":
            await scene.finish_job()
    await boundaries.wait_for_held(len(scenes))
    worker.kill()
    await boundaries.let_go()
    processes.start_all("worker", settings=patient)
    await scenes["send"].finish_job()
    for step, scene in scenes.items():
        await expect_done_once(scene, ONE_JOB[step])


@pytest.fixture(scope="module")
def running_worker(patient: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One worker for all that follows."""
    own = Processes(tmp_path_factory.mktemp("line-orders"))
    own.start_all("worker", settings=patient)
    yield
    own.kill_all()


async def job_done(scene: Scene) -> None:
    await scene.finish_job()


async def job_fails(scene: Scene) -> None:
    await scene.reach("changing")
    await scene.finish_job()
    await scene.pass_longest_time()


async def sent_again(scene: Scene) -> None:
    await scene.reach("changing")
    await scene.pass_longest_time()
    await scene.finish_job()


async def nothing(scene: Scene) -> None:
    """Let it resolve itself."""


async def switched_off(scene: Scene) -> None:
    await scene.finish_job()
    await scene.reach("done")
    again = Scene(scene.driver, scene.worker, scene.owner, await switch(scene.driver, scene.owner, on=False))
    await again.finish_job(count=2)
    await again.reach("done")


async def first_comes(scene: Scene) -> None:
    await scene.reach_first()


async def never_shown(scene: Scene) -> None:
    await scene.reach("held")
    await scene.set("sends_at = now()")
    await scene.reach("booked")
    await scene.finish_job("fail")
    await scene.set("effective_on = (now() AT TIME ZONE 'Asia/Tokyo')::date - 3")
    await until(lambda: scene.driver.value("SELECT polled_at FROM line_orders WHERE id = %s", scene.order), "a look")
    await scene.set("polled_at = now() - interval '1 day'")


async def ported_out(scene: Scene) -> None:
    await scene.reach("held")
    await scene.set("sends_at = now()")
    await scene.reach("booked")
    (await scene.driver.office.post(f"/sim-lines/{scene.owner.number}/port_out")).raise_for_status()
    await scene.set("effective_on = (now() AT TIME ZONE 'Asia/Tokyo')::date")


async def carrier_comes_back_too_late(scene: Scene) -> None:
    await scene.reach("held")
    await scene.set("effective_on = (now() AT TIME ZONE 'Asia/Tokyo')::date, sends_at = now()")


async def line_gets_free(scene: Scene) -> None:
    await scene.reach("queued")
    await scene.driver.rows("DELETE FROM line_changes WHERE kind = 'network' AND wanted IS NULL")
    await scene.set("sends_at = now()")
    await scene.reach("changing")
    await scene.finish_job()
    await scene.set("polled_at = now() - interval '1 hour'")


async def locked_5g(driver: PortalDriver, owner: LineOwner) -> UUID:
    """Ask for 5G on a line that another change locks."""
    await driver.rows(
        "INSERT INTO line_changes (line, kind, token, state, started_at, held_until, is_at_most) "
        "SELECT number_index, 'network', gen_random_uuid(), 'open', now(), now() + interval '20 minutes', false "
        "FROM sim_lines WHERE service_id = %s",
        owner.service_id,
    )
    return await to_5g(driver, owner, when_free=True)


async def smaller_plan(driver: PortalDriver, owner: LineOwner) -> UUID:
    return await change_plan(driver, owner, 5)


@dataclass(frozen=True)
class Trouble:
    """What is asked for, what goes wrong, what happens then, how it ends, and what is billed."""

    ask: Callable[..., Awaitable[UUID]] = switch
    faults: dict[str, dict[str, Any]] = field(default_factory=dict)
    then: Callable[[Scene], Awaitable[None]] = job_done
    ends: str = "done"
    bills: Bills = WITH_OPTION
    jobs: int = 1
    kind: str = "voice"


def lost(vendor: str, operation: str) -> dict[str, dict[str, Any]]:
    """Lose one answer."""
    return {vendor: {"lose_answers": 1, "operations": [operation]}}


VOICE_CALL, PLAN_CALL = "mvno/talkoption/changeOrder/", "mvno/changePlan/"
REFUSED = {"freebit": {"special": {"wrong_code": 1}, "operations": [VOICE_CALL]}}
AWAY = {"freebit": {"flaky": 1.0, "times": 1, "operations": [VOICE_CALL]}}
FAILS = {"freebit": {"special": {"fail_voice": 1}}}
UNBILLED = {"whmcs": {"special": {"module_fails": 1}}}
soak = pytest.mark.soak
TROUBLES = {
    "option on, then off": Trouble(then=switched_off, bills=Bills({**AT_FIRST, VOICE_MAIL: 300}, 1, [], [])),
    "option: answer lost": Trouble(faults=lost("freebit", VOICE_CALL)),
    "option: never arrived": Trouble(faults=AWAY, then=sent_again),
    "option: job fails": Trouble(faults=FAILS, then=job_fails, ends="failed not_carried_out", bills=UNCHANGED),
    "option: refused": Trouble(faults=REFUSED, then=nothing, ends="failed refused", bills=UNCHANGED, jobs=0),
    "option: order lost": Trouble(faults=lost("whmcs", "AddOrder")),
    "option: acceptance lost": Trouble(faults=lost("whmcs", "AcceptOrder")),
    "option: not billed": Trouble(faults=UNBILLED, ends="with_team billing", bills=UNCHANGED),
    "5G when the line is free": Trouble(locked_5g, then=line_gets_free, bills=UNCHANGED, kind="line"),
    "plan": Trouble(change_plan, then=first_comes, bills=BIGGER_PLAN, kind="plan"),
    "smaller plan": Trouble(smaller_plan, then=first_comes, bills=SMALLER_PLAN, kind="plan"),
    "plan: answer lost": Trouble(
        change_plan, lost("freebit", PLAN_CALL), then=first_comes, bills=BIGGER_PLAN, kind="plan"
    ),
    "plan: product lost": Trouble(
        change_plan, lost("whmcs", "UpdateClientProduct"), then=first_comes, bills=BIGGER_PLAN, kind="plan"
    ),
    "plan: correction lost": Trouble(
        change_plan, lost("whmcs", "CreateInvoice"), then=first_comes, bills=BIGGER_PLAN, kind="plan"
    ),
    "plan: credit lost": Trouble(
        smaller_plan, lost("whmcs", "AddCredit"), then=first_comes, bills=SMALLER_PLAN, kind="plan"
    ),
    "plan: not shown": Trouble(
        change_plan, then=never_shown, ends="failed not_carried_out", bills=UNCHANGED, kind="plan"
    ),
    "plan: ported out": Trouble(
        change_plan, then=ported_out, ends="failed line_not_active", bills=UNCHANGED, kind="plan"
    ),
    "plan: carrier away until the 1st": Trouble(
        change_plan, then=carrier_comes_back_too_late, ends="failed too_late", bills=UNCHANGED, jobs=0, kind="plan"
    ),
}
IN_CI = (
    "option on, then off", "option: never arrived", "option: job fails", "option: not billed",
    "5G when the line is free", "smaller plan", "plan: not shown",
)  # fmt: skip


@pytest.mark.parametrize("name", [each if each in IN_CI else pytest.param(each, marks=soak) for each in TROUBLES])
async def test_each_trouble_ends_well_and_bills_what_the_line_has(
    driver: PortalDriver, worker_side: Portal, running_worker: None, name: str
) -> None:
    trouble = TROUBLES[name]
    (owner,) = await voice_lines(driver, worker_side, 1)
    for vendor, faults in trouble.faults.items():
        await driver.set_faults(vendor, **faults)
    scene = Scene(driver, worker_side, owner, await trouble.ask(driver, owner))
    await trouble.then(scene)
    await scene.reach(trouble.ends)
    assert await bills_of(driver, scene.owner, scene.order) == trouble.bills
    assert await jobs_of(driver, scene.owner, trouble.kind) == trouble.jobs + (trouble.then is switched_off)
