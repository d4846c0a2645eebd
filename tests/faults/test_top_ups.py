"""Top-ups while workers die, answers are lost and others touch the invoice: invoices paid = charges = quotas."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import pytest

from portal_app.domain.errors import Conflict
from portal_app.infra.settings import Settings
from portal_app.services.sim.top_ups import workflow_of
from portal_app.wiring.portal import Portal
from tests.faults.boundary import Boundaries
from tests.support.clients.line_owners import (
    PAID,
    LineOwner,
    Trail,
    line_owners,
    state_of,
    top_up,
    trail_of,
    trails,
    wait_for_state,
)
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes
from tests.support.waiting import until

STEPS = ("check", "invoice", "compare", "capture", "add_data")
MB = 2 * 1024


async def expect_all_done_once(driver: PortalDriver, ids: list[UUID]) -> None:
    """Wait until all have their data, then count the money and the data of each."""
    for each in ids:
        await wait_for_state(driver, each, "done")
    assert await trails(driver, ids) == [PAID] * len(ids)
    for each in ids:
        statement = "SELECT count(*) FROM notices WHERE kind = 'top_up_done' AND source_id = %s"
        assert await driver.value(statement, str(each)) == 1


# Step by step: no worker that would carry the same purchases out runs yet.
async def test_the_nightly_run_charges_first_and_ours_only_reads(driver: PortalDriver, worker_side: Portal) -> None:
    (owner,) = await line_owners(driver, worker_side, 1)
    bought, own = await top_up(driver, owner), worker_side.sim.top_up_payment
    assert [await own.check(bought), await own.invoice(bought), await own.compare(bought)] == [
        "checked", "invoiced", "compared",
    ]  # fmt: skip
    scene = Scene(driver, worker_side, owner, bought)
    await driver._call_whmcs("CapturePayment", invoiceid=await scene.invoice())
    assert [await own.capture(bought), await own.read_payment(bought)] == ["charging", "paid"]
    assert [await worker_side.sim.top_up_delivery.add_data(bought) for _ in range(2)] == ["done", "done"]
    assert await trail_of(driver, bought) == PAID


async def test_a_charge_that_is_asked_for_again_is_made_once(driver: PortalDriver, worker_side: Portal) -> None:
    (owner,) = await line_owners(driver, worker_side, 1)
    key = "the-key-of-one-page"
    bought = await top_up(driver, owner, key=key)
    assert await top_up(driver, owner, key=key) == bought, "the second answer is the first"
    with pytest.raises(Conflict):
        await top_up(driver, owner)
    own = worker_side.sim.top_up_payment
    for step in (own.check, own.invoice, own.invoice, own.compare, own.capture, own.capture, own.read_payment):
        await step(bought)
    assert await state_of(driver, bought) == "paid"
    assert (await trail_of(driver, bought)) == Trail(["Paid"], 1, [])


@pytest.mark.soak
async def test_data_once_when_worker_is_killed_right_after_any_step(
    driver: PortalDriver, worker_side: Portal, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    processes.start_all("worker", "worker", settings=settings)
    ids = []
    for owner, step in zip(await line_owners(driver, worker_side, len(STEPS)), STEPS, strict=True):
        ids.append(await top_up(driver, owner))
        slot = await boundaries.recorded(workflow_of(ids[-1]), step)
        processes.of_slot(slot).kill()
        processes.start("worker", settings)
    await expect_all_done_once(driver, ids)


async def test_data_once_when_worker_is_killed_between_any_effect_and_its_record(
    driver: PortalDriver, worker_side: Portal, processes: Processes, settings: Settings, boundaries: Boundaries
) -> None:
    ids = [await top_up(driver, owner) for owner in await line_owners(driver, worker_side, len(STEPS))]
    for each, step in zip(ids, STEPS, strict=True):
        await boundaries.hold(workflow_of(each), step)
    (worker,) = processes.start_all("worker", settings=settings)
    await boundaries.wait_for_held(len(STEPS))
    worker.kill()
    await boundaries.let_go()
    processes.start_all("worker", settings=settings)
    await expect_all_done_once(driver, ids)


@pytest.fixture(scope="module")
def running_worker(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One worker for all that follows."""
    own = Processes(tmp_path_factory.mktemp("top-ups"))
    own.start_all("worker", settings=settings)
    yield
    own.kill_all()


@dataclass(frozen=True)
class Scene:
    """A purchase in trouble."""

    driver: PortalDriver
    worker: Portal
    owner: LineOwner
    top_up: UUID

    async def invoice(self) -> int:
        return int(await self.driver.value("SELECT invoice_id FROM top_ups WHERE id = %s", self.top_up))

    async def staff(self, action: str, **fields: Any) -> None:
        """Let staff change the invoice at WHMCS; its event arrives twice."""
        number = await self.invoice()
        await self.driver._call_whmcs(action, invoiceid=number, **fields)
        for _ in range(2):
            await self.worker.sim.top_up_progress.wake([number])


async def pays(scene: Scene) -> None:
    await scene.staff("AddInvoicePayment", transid="by-hand", gateway="stripe")


async def pays_afterwards(scene: Scene) -> None:
    await scene.driver.rows("UPDATE top_ups SET confirm_until = now() WHERE id = %s", scene.top_up)
    await wait_for_state(scene.driver, scene.top_up, "stopped declined")
    assert await trail_of(scene.driver, scene.top_up) == Trail(["Cancelled"], 0, [])
    await scene.staff("UpdateInvoice", status="Unpaid")
    await wait_for_state(scene.driver, scene.top_up, "stopped declined")
    await pays(scene)


async def cancels(scene: Scene) -> None:
    await scene.staff("UpdateInvoice", status="Cancelled")


async def leaves_it(scene: Scene) -> None:
    await scene.driver.rows("UPDATE top_ups SET confirm_until = now() WHERE id = %s", scene.top_up)


async def heals(scene: Scene) -> None:
    assert (await trail_of(scene.driver, scene.top_up)).quotas == []
    await scene.driver.all_well()


def a_case(kind: str) -> Callable[[Scene], Awaitable[None]]:
    """Expect the one case of a kind."""

    async def asked(scene: Scene) -> None:
        reference = str(uuid5(scene.top_up, kind))

        async def there() -> bool:
            rows = (await scene.driver.office.get("/cases")).json()
            return [row["status"] for row in rows if row["reference"] == reference] == ["New"]

        await until(there, "one case")

    return asked


async def a_case_and_pays(scene: Scene) -> None:
    await a_case("charge")(scene)
    with pytest.raises(Conflict):
        await top_up(scene.driver, scene.owner)
    await pays(scene)


async def nothing(scene: Scene) -> None:
    """Let it resolve itself."""


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, where that leads at first, what somebody does then, and how it ends."""

    faults: dict[str, dict[str, Any]] = field(default_factory=dict)
    at_first: str = "done"
    then: Callable[[Scene], Awaitable[None]] = nothing
    ends: str = "done"
    trail: Trail = PAID
    before: str = ""


DECLINED = {"whmcs": {"special": {"capture_declined": 1}}}
TROUBLES = {
    "all well": Trouble(),
    "invoice lost": Trouble({"whmcs": {"lose_answers": 1, "operations": ["CreateInvoice"]}}),
    "invoice half": Trouble({"whmcs": {"broken": "half", "times": 1, "operations": ["CreateInvoice"]}}),
    "charge lost": Trouble({"whmcs": {"lose_answers": 1, "operations": ["CapturePayment"]}}),
    "charge with a warning": Trouble({"whmcs": {"special": {"warning": 2}}}),
    "WHMCS fails": Trouble({"whmcs": {"flaky": 1.0, "times": 2, "operations": ["GetInvoice"]}}),
    "data lost": Trouble({"freebit": {"lose_answers": 1, "operations": ["master/addSpec/"]}}),
    "data never sent": Trouble({"freebit": {"flaky": 1.0, "times": 1, "operations": ["master/addSpec/"]}}),
    "history away": Trouble({"freebit": {"down": True, "operations": ["mvno/getQuotaHistory/"]}}, "paid", heals),
    "credit used": Trouble(
        {"whmcs": {"special": {"auto_credit": 1}}}, before="credit", trail=Trail(["Paid"], 0, [MB])
    ),
    "no card": Trouble(before="no card", at_first="stopped no_card", ends="stopped no_card", trail=Trail([], 0, [])),
    "another tax rate": Trouble(
        {"whmcs": {"special": {"tax_rate": 8}}}, "stopped price_changed", ends="stopped price_changed",
        trail=Trail(["Cancelled"], 0, []),
    ),
    "suspended before": Trouble(
        before="suspend", at_first="stopped line_not_active", ends="stopped line_not_active", trail=Trail([], 0, [])
    ),
    "declined, left": Trouble(
        DECLINED, "confirm declined", leaves_it, "stopped declined", trail=Trail(["Cancelled"], 0, [])
    ),
    "declined, paid there": Trouble(DECLINED, "confirm declined", pays, trail=Trail(["Paid"], 0, [MB])),
    "declined, paid too late": Trouble(DECLINED, "confirm declined", pays_afterwards, trail=Trail(["Paid"], 0, [MB])),
    "declined, cancelled by staff": Trouble(
        DECLINED, "confirm declined", cancels, "stopped invoice_gone", trail=Trail(["Cancelled"], 0, [])
    ),
    "charged, then died": Trouble(
        {"whmcs": {"special": {"charge_dies": 1}}}, "unclear unclear", a_case_and_pays, trail=PAID
    ),
    "pending": Trouble(
        {"whmcs": {"special": {"payment_pending": 1}}}, "unclear unclear", a_case_and_pays, trail=PAID
    ),
    "data refused": Trouble(
        {"freebit": {"special": {"wrong_code": 1}, "operations": ["master/addSpec/"]}},
        "with_team not_delivered", a_case("data"), "with_team not_delivered", trail=Trail(["Paid"], 1, []),
    ),
}  # fmt: skip


async def prepare(driver: PortalDriver, owner: LineOwner, before: str) -> None:
    """Bring a customer or a line into the state a trouble begins with."""
    client_id = owner.buyer.customer.whmcs_client_id
    if before == "credit":
        await driver._call_whmcs("AddCredit", clientid=client_id, description="Goodwill", amount="9000")
    elif before == "no card":
        await driver.remove_cards(owner.buyer)
    elif before:
        (await driver.office.post(f"/sim-lines/{owner.number}/{before}")).raise_for_status()


@pytest.mark.parametrize("name", TROUBLES)
async def test_each_trouble_resolves_itself_or_opens_one_case(
    driver: PortalDriver, worker_side: Portal, running_worker: None, name: str
) -> None:
    trouble = TROUBLES[name]
    (owner,) = await line_owners(driver, worker_side, 1)
    await prepare(driver, owner, trouble.before)
    for vendor, faults in trouble.faults.items():
        await driver.set_faults(vendor, **faults)
    scene = Scene(driver, worker_side, owner, await top_up(driver, owner))
    await wait_for_state(driver, scene.top_up, trouble.at_first)
    await trouble.then(scene)
    await wait_for_state(driver, scene.top_up, trouble.ends)
    assert await trail_of(driver, scene.top_up) == trouble.trail
