"""Orders: handed over for review, then provisioned step by step until the service works and is billed."""

from typing import Any
from uuid import UUID

from dbos import DBOS

from portal_app.domain.ports import BillingOrder
from portal_app.wiring import portal
from portal_app.workflows.step import Outcome, durable, step

RESUME_TOPIC = "resume"
_PARKED_SECONDS = 30 * 86400.0


def provision_id(order_id: UUID | str, attempt: int) -> str:
    """Name the provisioning of one attempt at an order: enqueued twice, it runs once."""
    return f"provision-{order_id}-{attempt}"


@durable(name="hand_over_order")
async def hand_over_order(order_id: str) -> str:
    """Create the order in Salesforce, Pending Review, as soon as Salesforce takes it."""
    outcome = await step("hand_over", lambda: portal().provisioning.hand_over(UUID(order_id)))
    if outcome["state"] == "refused":
        # Nobody at Salesforce sees an order that never got there: it must show here.
        code, message = outcome["code"], outcome["message"]
        await step("fail", lambda: portal().provisioning.fail(UUID(order_id), code=code, message=message))
    return outcome["state"]


@durable(name="provision_order")
async def provision_order(order_id: str) -> str:
    """Bill, set up, record and announce an approved order; what stops it parks it until an agent approves again."""
    order = UUID(order_id)
    while True:
        outcome = await _provision(order)
        if outcome["state"] == "done":
            return "active"
        # Parked: no connection, no thread. The message comes with the next approval.
        if await DBOS.recv_async(RESUME_TOPIC, timeout_seconds=_PARKED_SECONDS) is None:
            return "abandoned"


async def _provision(order: UUID) -> Outcome:
    provisioning = portal().provisioning
    approved = await step("check_approval", lambda: provisioning.is_approved(order))
    if not approved["value"]:
        return Outcome(state="refused", value=None, code="not_approved", message="")
    method = await step("check_payment_method", lambda: provisioning.has_payment_method(order))
    if method["state"] == "done" and not method["value"]:
        await step("ask_for_payment_method", lambda: provisioning.ask_for_payment_method(order))
        return Outcome(state="refused", value=None, code="PAYMENT_METHOD_MISSING", message="")
    outcome = method if method["state"] == "refused" else await _set_up(order)
    if outcome["state"] == "refused":
        code, message = outcome["code"], outcome["message"]
        await step("fail", lambda: provisioning.fail(order, code=code, message=message))
    return outcome


async def _set_up(order: UUID) -> Outcome:
    provisioning = portal().provisioning

    async def bill() -> dict[str, Any]:
        placed = await provisioning.place_billing_order(order)
        return {"order_id": placed.order_id, "service_ids": list(placed.service_ids), "invoice_id": placed.invoice_id}

    billed = await step("place_billing_order", bill)
    if billed["state"] == "refused":
        return billed
    value = billed["value"]
    billing = BillingOrder(value["order_id"], tuple(value["service_ids"]), value["invoice_id"])
    outcome = billed
    for name, call in (
        ("accept_billing_order", lambda: provisioning.accept_billing_order(order)),
        ("record_in_salesforce", lambda: provisioning.record_in_salesforce(order, billing)),
        ("announce_active", lambda: provisioning.announce_active(order)),
    ):
        outcome = await step(name, call)
        if outcome["state"] == "refused":
            break
    return outcome
