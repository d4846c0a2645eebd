"""Customers with an active SIM line each, made directly: for tests of what happens to lines afterwards."""

import itertools
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from portal_app.domain.idempotency import ORDER_TOP_UP, Call
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.sim import NewLine, SimPlanKind
from portal_app.domain.sim.top_up import MB_IN_GB
from portal_app.models.line_change import LINE_PLACE
from portal_app.models.sim_line import SimLineRow
from portal_app.wiring.portal import Portal
from tests.support.clients.portal_driver import Buyer, PortalDriver
from tests.support.waiting import until

_SERVICES = itertools.count(7_000_001)


@dataclass(frozen=True)
class LineOwner:
    """A customer, a service and its number."""

    buyer: Buyer
    service_id: int
    number: str


async def line_owners(driver: PortalDriver, worker: Portal, count: int) -> list[LineOwner]:
    """Return customers with a card and an active line each."""
    numbers = await driver.stock(count)
    return [await _owner(driver, worker, number) for number in numbers]


async def _owner(driver: PortalDriver, worker: Portal, number: str) -> LineOwner:
    return await open_line(driver, worker, LineOwner(await driver.buyer(), next(_SERVICES), number))


async def open_line(
    driver: PortalDriver, worker: Portal, owner: LineOwner, *, plan: tuple[str, SimPlanKind] = ("PASI_D05G", "data")
) -> LineOwner:
    """Open the line of a customer's service at the carrier, and link it here."""
    number, (code, kind) = owner.number, plan
    stocked = (await driver.office.get("/sim-lines")).json()["sims"]
    product = next(sim["productNumber"] for sim in stocked if sim["account"] == number)
    await worker.vendors.sims.activate_physical(NewLine(number, code, product_number=product, plan_kind=kind))
    await end_jobs(driver, number)
    row = SimLineRow(
        service_id=owner.service_id,
        user_id=owner.buyer.customer.user_id,
        number=number,
        number_index=worker.identity.secrets.ring.index(number, LINE_PLACE),
        iccid="",
        eid="",
        body=LineSnapshot(state="active").to_json(),
    )
    async with worker.database.unit_of_work() as session:
        session.add(row)
    return owner


async def end_jobs(driver: PortalDriver, number: str, action: str = "finish") -> int:
    """Let the open jobs of a line be done now, or come to nothing; return how many there were."""
    jobs = (await driver.office.get("/sim-lines")).json()["jobs"]
    own = [job["id"] for job in jobs if job["account"] == number and job["state"] == "open"]
    for job in own:
        (await driver.office.post(f"/sim-lines/jobs/{job}/{action}")).raise_for_status()
    return len(own)


async def top_up(driver: PortalDriver, owner: LineOwner, gigabytes: int = 2, *, key: str = "") -> UUID:
    """Buy data as the page and the API do, and return the purchase."""
    own, user_id = driver.web.sim.top_ups, owner.buyer.customer.user_id
    total = own.prices.total(gigabytes).minor
    made = await driver.web.idempotency.once_shared(
        Call(user_id, ORDER_TOP_UP, key or uuid4().hex, f"{owner.service_id}:{gigabytes}:{total}"),
        lambda claim: own.order(owner.buyer.customer, owner.service_id, gigabytes, agreed=total, claim=claim),
        status=201,
    )
    return UUID(made)


async def state_of(driver: PortalDriver, top_up_id: UUID) -> str:
    """Return where a purchase stands, with the reason."""
    ((state, reason),) = await driver.rows("SELECT state, reason FROM top_ups WHERE id = %s", top_up_id)
    return f"{state} {reason}".strip()


async def wait_for_state(driver: PortalDriver, top_up_id: UUID, *states: str) -> None:
    """Wait until a purchase stands so."""
    seen = ""

    async def there() -> bool:
        nonlocal seen
        seen = await state_of(driver, top_up_id)
        return seen in states

    await until(there, f"{' or '.join(states)}, is {seen}")


@dataclass(frozen=True)
class Trail:
    """What one purchase left at the vendors: invoices by status, what the gateway took, the MB that were added."""

    invoices: list[str]
    charges: int
    quotas: list[int]


async def trail_of(driver: PortalDriver, top_up_id: UUID) -> Trail:
    """Count at WHMCS, at its payment gateway and at the carrier."""
    (bought,) = await trails(driver, [top_up_id])
    return bought


async def trails(driver: PortalDriver, ids: list[UUID]) -> list[Trail]:
    """Count the trails of many purchases with one read of each vendor."""
    invoices = (await driver.office.get("/whmcs/invoices")).json()
    charges = (await driver.office.get("/whmcs/charges")).json()
    added = [each for line in await driver.sim_lines() for each in line["top_ups"]]
    return [_trail(str(each), invoices, charges, added) for each in ids]


def _trail(
    reference: str, invoices: list[dict[str, Any]], charges: list[dict[str, Any]], added: list[dict[str, Any]]
) -> Trail:
    own = [row for row in invoices if row["notes"] == reference]
    numbers = {row["id"] for row in own}
    return Trail(
        [row["status"] for row in own],
        sum(row["invoiceid"] in numbers for row in charges),
        [int(row["quota"]) for row in added if row["quotaCode"] == reference],
    )


PAID = Trail(["Paid"], 1, [2 * MB_IN_GB])
