"""Customers with a voice line that WHMCS bills, and what changes of it left at the vendors."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from portal_app.domain.idempotency import CHANGE_NETWORK, CHANGE_PLAN, SWITCH_VOICE_OPTION, Call, Claim
from portal_app.domain.money import Money
from portal_app.domain.orders.order import OrderLine
from portal_app.infra.database.durable import WakeTopic
from portal_app.services.sim_changes.line_orders import workflow_of
from portal_app.wiring.portal import Portal
from tests.support.clients.line_owners import LineOwner, open_line
from tests.support.clients.portal_driver import PortalDriver
from tests.support.waiting import until

# Products of sandbox/world.toml.
PLAN_10GB, PLAN_25GB, PLAN_5GB, VOICE_MAIL = 111, 112, 110, 131


async def voice_lines(driver: PortalDriver, worker: Portal, count: int) -> list[LineOwner]:
    """Return customers with a card and an active 10 GB voice line each, billed at WHMCS."""
    return [await _voice_line(driver, worker, number) for number in await driver.stock(count)]


async def _voice_line(driver: PortalDriver, worker: Portal, number: str) -> LineOwner:
    buyer = await driver.buyer()
    line = OrderLine("", "SIM", "monthly", Money(2550), "", PLAN_10GB)
    orders, client_id = worker.vendors.whmcs_orders, buyer.customer.whmcs_client_id
    made = await orders.add_order(client_id, [line], reference=str(uuid4()))
    await orders.accept_order(made.order_id)
    owner = LineOwner(buyer, made.service_ids[0], number)
    return await open_line(driver, worker, owner, plan=("PASI_V10G", "voice"))


async def switch(driver: PortalDriver, owner: LineOwner, option: str = "voice_mail", *, on: bool = True) -> UUID:
    """Switch a voice option as the page and the API do."""
    total = {"voice_mail": 330, "call_waiting": 330, "roaming": 220}[option] if on else 0
    own = driver.web.line_orders.orders

    async def ask(claim: Claim) -> str:
        service, _ = await driver.web.subscriptions.services.subscription_for(owner.buyer.customer, owner.service_id)
        return await own.switch_voice(
            owner.buyer.customer,
            service,
            option,  # type: ignore[arg-type]
            is_on=on,
            agreed=total,
            when_free=False,
            claim=claim,
        )

    return await _once(driver, owner, SWITCH_VOICE_OPTION, ask)


async def to_5g(driver: PortalDriver, owner: LineOwner, *, when_free: bool = False) -> UUID:
    """Ask for 5G."""

    async def ask(claim: Claim) -> str:
        service, _ = await driver.web.subscriptions.services.subscription_for(owner.buyer.customer, owner.service_id)
        own = driver.web.line_orders.orders
        return await own.change_network(owner.buyer.customer, service, "5G", when_free=when_free, claim=claim)

    return await _once(driver, owner, CHANGE_NETWORK, ask)


async def change_plan(driver: PortalDriver, owner: LineOwner, gigabytes: int = 25) -> UUID:
    """Ask for another plan."""
    total = {5: 2200, 25: 3850}[gigabytes]

    async def ask(claim: Claim) -> str:
        customer, own = owner.buyer.customer, driver.web.line_orders.orders
        service, _ = await driver.web.subscriptions.services.subscription_for(customer, owner.service_id)
        sku = f"SIM-DATA-VOICE-{gigabytes}GB"
        return await own.change_plan(customer, service, sku, agreed=total, recipient=owner.buyer.email, claim=claim)

    return await _once(driver, owner, CHANGE_PLAN, ask)


async def _once(driver: PortalDriver, owner: LineOwner, operation: str, ask: Any) -> UUID:
    call = Call(owner.buyer.customer.user_id, operation, uuid4().hex, "same")
    return UUID(await driver.web.idempotency.once_shared(call, ask, status=201))


async def wake(worker: Portal, order_id: UUID) -> None:
    """Have a change look at the clock again."""
    async with worker.database.unit_of_work() as session:
        name = workflow_of(order_id)
        await worker.queue.send(session, name, "look", topic=WakeTopic.LINE_ORDER, key=uuid4().hex)


async def wait_for_change(driver: PortalDriver, order_id: UUID, *states: str) -> None:
    """Wait until a change stands so: its state, with the reason if there is one."""

    async def there() -> bool:
        ((state, reason),) = await driver.rows("SELECT state, reason FROM line_orders WHERE id = %s", order_id)
        return f"{state} {reason}".strip() in states

    await until(there, " or ".join(states))


@dataclass(frozen=True)
class Bills:
    """What a line costs at WHMCS: products of living services, ends asked for, and what a change corrected."""

    products: dict[int, int]
    ends: int
    corrections: list[int]
    credits: list[int]


async def bills_of(driver: PortalDriver, owner: LineOwner, order_id: UUID) -> Bills:
    """Read the bills of a customer."""
    client_id = owner.buyer.customer.whmcs_client_id
    services = [row for row in (await driver.office.get("/whmcs/services")).json() if row["clientid"] == client_id]
    wishes = (await driver.office.get("/whmcs/cancellations")).json()
    invoices = (await driver.office.get("/whmcs/invoices")).json()
    given = (await driver._call_whmcs("GetCredits", clientid=client_id)).get("credits", {"credit": []})["credit"]
    reference = str(order_id)
    return Bills(
        {row["pid"]: row["recurringamount"] // 100 for row in services if row["status"] == "Active"},
        sum(row["relid"] in {each["id"] for each in services} for row in wishes),
        [sum(line["amount"] for line in row["items"]) // 100 for row in invoices if row["notes"] == reference],
        [int(float(row["amount"])) for row in given if reference in row["description"]],
    )


async def jobs_of(driver: PortalDriver, owner: LineOwner, kind: str) -> int:
    """Count the jobs of a kind that the carrier ever accepted for a line."""
    jobs = (await driver.office.get("/sim-lines")).json()["jobs"]
    return sum(job["account"] == owner.number and job["kind"] == kind for job in jobs)
