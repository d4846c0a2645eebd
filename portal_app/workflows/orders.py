"""Orders: handed over for review, then provisioned step by step until the service works and is billed."""

from typing import Any
from uuid import UUID

from dbos import DBOS

from portal_app.domain.ports.billing import BillingOrder
from portal_app.infra.database.durable import WakeTopic
from portal_app.services.provisioning.review import CARD_MISSING, IDENTITY_MISSING, PAUSES
from portal_app.wiring.portal import portal
from portal_app.workflows.internet import check_alone, link_line
from portal_app.workflows.sim import finish_line, open_line, reserve_line
from portal_app.workflows.step import DONE, Outcome, durable, refused, step

_PARKED_SECONDS = 30 * 86400.0
# An order that waits for its customer checks every minute at first, and every quarter of an hour later.
_LONGEST_CARD_WAIT, _CARD_ROUNDS = 900.0, 3000


def provision_id(order_id: UUID | str, attempt: int) -> str:
    """Name the provisioning of one attempt at an order: enqueued twice, it runs once."""
    return f"provision-{order_id}-{attempt}"


async def wake_waiting_orders(user_id: str, cause: str) -> None:
    """Wake a customer's waiting orders, so that they check again for what was missing."""
    review = portal().provisioning.review
    waiting = await step("waiting_orders", lambda: review.waiting_for_customer(UUID(user_id)))
    for order_id, attempt in waiting["value"] or []:
        await DBOS.send_async(provision_id(order_id, attempt), cause, topic=WakeTopic.ORDER)


@durable(name="hand_over_order")
async def hand_over_order(order_id: str) -> str:
    """Create the order in Salesforce, Pending Review, as soon as Salesforce takes it."""
    review = portal().provisioning.review
    outcome = await step("hand_over", lambda: review.hand_over(UUID(order_id)))
    if outcome["state"] == "refused":
        # Nobody at Salesforce sees an order that never got there: it must show here.
        code, message = outcome["code"], outcome["message"]
        await step("fail", lambda: review.fail(UUID(order_id), code=code, message=message))
    return outcome["state"]


@durable(name="provision_order")
async def provision_order(order_id: str) -> str:
    """Bill, set up, record and announce an approved order; what stops it parks it.

    It goes on when an agent approves again, when what was missing (a payment method, a verified identity) is there,
    and on the day it was ordered for.
    """
    order = UUID(order_id)
    for round_ in range(_CARD_ROUNDS):
        outcome = await _provision(order)
        if outcome["state"] == "done":
            return "active"
        # Parked: no connection, no thread. A message comes with the next approval.
        told = await DBOS.recv_async(WakeTopic.ORDER, timeout_seconds=_pause(outcome, round_))
        if told is None and outcome["code"] not in (*PAUSES, "scheduled"):
            return "abandoned"
    return "abandoned"


def _pause(outcome: Outcome, round_: int) -> float:
    if outcome["code"] in PAUSES:
        return min(_LONGEST_CARD_WAIT, portal().settings.portal_card_poll_seconds * max(1, round_ / 20))
    return float(outcome["value"]) if outcome["code"] == "scheduled" else _PARKED_SECONDS


async def _provision(order: UUID) -> Outcome:
    ready = await _ready(order)
    if ready["state"] == "refused":
        return ready
    kind = str(ready["value"])
    prepared = await _PREPARED[kind](order) if kind in _PREPARED else DONE
    if prepared["code"] == "scheduled":
        return prepared
    outcome = await _set_up(order, kind) if prepared["state"] == "done" else prepared
    if outcome["state"] == "refused":
        code, message = outcome["code"], outcome["message"]
        await step("fail", lambda: portal().provisioning.review.fail(order, code=code, message=message))
    return outcome


async def _ready(order: UUID) -> Outcome:
    """Check the approval and what the customer has to bring; return the kind of order."""
    review = portal().provisioning.review
    attempt = int(str(DBOS.workflow_id).rpartition("-")[2])
    approval = await step("check_approval", lambda: review.approval(order, attempt))
    if approval["value"] not in ("approved", *PAUSES):
        return refused("not_approved")
    missing = await _missing(order)
    if missing["state"] == "refused":
        code, message = missing["code"], missing["message"]
        await step("fail", lambda: review.fail(order, code=code, message=message))
        return missing
    if missing["value"]:
        if approval["value"] != missing["value"]:
            await step("pause", lambda: review.pause(order, missing["value"]))
        return refused(missing["value"])
    if approval["value"] in PAUSES:
        await step("go_on", lambda: review.go_on(order, approval["value"]))
    return await step("read_kind", lambda: portal().provisioning.progress.category(order))


async def _missing(order: UUID) -> Outcome:
    """Return the code of what the customer still has to bring before an order can go on; none where all is there."""
    billing, sims = portal().provisioning.billing, portal().provisioning.sims
    method = await step("check_payment_method", lambda: billing.has_payment_method(order))
    if method["state"] == "refused":
        return method
    if not method["value"]:
        return {**method, "value": CARD_MISSING}
    clear = await step("check_identity", lambda: sims.may_open(order))
    return clear if clear["state"] == "refused" else {**clear, "value": None if clear["value"] else IDENTITY_MISSING}


_PREPARED = {"sim": reserve_line, "internet": check_alone}
_FINISHED = {"sim": finish_line, "internet": link_line}


async def _set_up(order: UUID, kind: str) -> Outcome:
    billing = portal().provisioning.billing

    async def bill() -> dict[str, Any]:
        placed = await billing.place(order)
        return {"order_id": placed.order_id, "service_ids": list(placed.service_ids), "invoice_id": placed.invoice_id}

    billed = await step("place_billing_order", bill)
    if billed["state"] == "refused":
        return billed
    value = billed["value"]
    placed = BillingOrder(value["order_id"], tuple(value["service_ids"]), value["invoice_id"])
    outcome = await step("accept_billing_order", lambda: billing.accept(order))
    if kind == "sim" and outcome["state"] == "done":
        outcome = await open_line(order)
    finish = _FINISHED.get(kind)
    if finish and outcome["state"] == "done":
        outcome = await finish(order, placed)
    for name, call in (
        ("record_in_salesforce", lambda: billing.record_in_salesforce(order, placed)),
        ("announce_active", lambda: billing.announce_active(order)),
    ):
        if outcome["state"] == "done":
            outcome = await step(name, call)
    return outcome
