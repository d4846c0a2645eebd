"""Events of vendors: a hint each, applied by reading the truth again."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from dbos import DBOS, SetWorkflowID

from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.inbound_event import InboundEvent
from portal_app.infra.clock import now
from portal_app.infra.database.durable import QUEUE, WakeTopic
from portal_app.infra.tasks.current_order import set_current_order
from portal_app.integrations.throttling.call_limits import Priority
from portal_app.services.inbound.inbox import ALL_CHANGES
from portal_app.services.inbound.whmcs_hooks import EARLY, HOOKS
from portal_app.wiring.portal import portal
from portal_app.workflows.account_changes import apply_to_accounts
from portal_app.workflows.orders import provision_id, provision_order, wake_waiting_orders
from portal_app.workflows.sim_lines import PAYMENT_EVENTS, wake_top_ups
from portal_app.workflows.step import durable, step
from portal_app.workflows.support import apply_to_cases

_ACCOUNT, _ORDER = "AccountChangeEvent", "OrderChangeEvent"
# An order moves a few times within a second while it is set up; each time, what was read before may be old.
_READINGS = 3
_CASE = "CaseChangeEvent"
_CATALOG = ("Product2ChangeEvent", "PricebookEntryChangeEvent")


@durable(name="apply_event")
async def apply_event(source: str, event_id: str) -> str:
    """Apply one event of the inbox."""
    read = await step("read_event", lambda: _read(source, event_id))
    if read["state"] != "done":
        return read["state"]
    event = InboundEvent("whmcs" if source == "whmcs" else "salesforce", event_id, **read["value"])
    since = event.data.get("since")
    if source == "whmcs":
        outcome = await _apply_billing_change(event)
    elif since:
        outcome = await reconcile(event.kind, str(since))
    elif event.kind in _CATALOG:
        outcome = await _apply_catalog_change()
    elif event.kind == _CASE:
        outcome = await apply_to_cases([str(each) for each in event.data.get("record_ids", [])])
    elif event.kind == _ACCOUNT:
        outcome = await apply_to_accounts(event.data.get("record_ids", []), event.id)
    else:
        outcome = await apply_to_orders(event.data.get("order_ids", []), event.id)
    await step("finish", lambda: portal().inbound.inbox.finish(event))
    return outcome


@durable(name="reconcile")
async def reconcile_topic(kind: str, since: str) -> str:
    """Find what changed since a moment: a stream's position was lost."""
    return await reconcile(kind, since)


@durable(name="look_again")
async def look_again(sf_order_id: str) -> str:
    """Read one order from Salesforce and move its provisioning on: an operator asked."""
    return await apply_to_orders([sf_order_id], "operator")


async def reconcile(kind: str, since: str) -> str:
    """Read again everything that events of this kind could have announced since a moment."""
    outcome = "done"
    if kind in (*_CATALOG, ALL_CHANGES):
        outcome = await _apply_catalog_change()
    if kind in (_ACCOUNT, ALL_CHANGES):
        outcome = await catch_up_checks()
    if kind in (_CASE, ALL_CHANGES):
        missed = datetime.fromisoformat(since)
        cases = await step("cases_changed", lambda: portal().support.changes.changed_since(missed), priority="sync")
        outcome = await apply_to_cases(cases["value"] or [])
    if kind in (_ORDER, ALL_CHANGES) or kind.endswith("__e"):
        moment = datetime.fromisoformat(since)
        found = await step(
            "orders_changed", lambda: portal().inbound.reconcile.orders_changed_since(moment), priority="sync"
        )
        outcome = await apply_to_orders(found["value"] or [], f"reconcile-{since}", priority="sync")
        outcome = found["state"] if found["state"] != "done" else outcome
    return outcome


async def catch_up_checks() -> str:
    """Read again every address check whose answer we wait for, and every identity check that agents changed."""
    addresses = await step(
        "checks_behind", lambda: portal().internet.answers.accounts_with_missed_answers(), priority="sync"
    )
    identities = await step(
        "identity_checks_behind", lambda: portal().profile.kyc_review.accounts_with_missed_reviews(), priority="sync"
    )
    behind = dict.fromkeys([*(addresses["value"] or []), *(identities["value"] or [])])
    applied = await apply_to_accounts(list(behind), "catch-up", priority="sync")
    return next((found["state"] for found in (addresses, identities) if found["state"] != "done"), applied)


async def _apply_billing_change(event: InboundEvent) -> str:
    outcome = await step("apply_billing_change", lambda: portal().inbound.billing_changes.apply(event))
    if event.kind in EARLY:
        # The hook fired before its change: read once more when WHMCS has made it.
        await DBOS.sleep_async(portal().settings.whmcs_early_hook_seconds)
        outcome = await step("apply_billing_change_again", lambda: portal().inbound.billing_changes.apply(event))
    clients = event.numbers("client_id") if "person" in HOOKS.get(event.kind, ()) else []
    for client_id in clients:
        await step("read_person_again", partial(portal().profile.profile_changes.refresh_from_whmcs, client_id))
    for user_id in outcome["value"] or []:
        await wake_waiting_orders(user_id, event.id)
    if event.kind in PAYMENT_EVENTS:
        await wake_top_ups(event.numbers("invoice_id"))
    return outcome["state"]


async def _apply_catalog_change() -> str:
    return (await step("apply_catalog_change", lambda: portal().inbound.inbox.apply_catalog_change()))["state"]


async def _read(source: str, event_id: str) -> dict[str, Any]:
    event = await portal().inbound.inbox.event(source, event_id)
    return {"kind": event.kind, "data": event.data}


async def apply_to_orders(sf_order_ids: Sequence[str], cause: str, *, priority: Priority = "background") -> str:
    """Read orders from Salesforce and move their provisioning on; `cause` names the event that caused it."""
    outcome = "done"
    for sf_order_id in sf_order_ids:
        read = await step("apply_review", partial(_apply_review, str(sf_order_id)), priority=priority)
        outcome, found = read["state"], read["value"]
        if found:
            workflow_id = provision_id(found["order_id"], found["attempt"])
            with SetWorkflowID(workflow_id):
                await DBOS.enqueue_workflow_async(QUEUE, provision_order, found["order_id"])
            # A known id is left alone by the queue: the message wakes a provisioning that is parked.
            await DBOS.send_async(workflow_id, cause, topic=WakeTopic.ORDER)
    return outcome


async def _apply_review(sf_order_id: str) -> dict[str, Any] | None:
    """Take over what Salesforce says of an order; return the order and attempt to provision, if it is approved."""
    review = portal().provisioning.review
    for _ in range(_READINGS):
        asked_at = now()
        found = await review.read(sf_order_id)
        order = await review.order_of(found) or await review.adopt(found)
        if order is None:
            return None
        set_current_order(order.id)
        # Also of one that was taken in before: a worker may have died in between.
        await review.claim(order, found)
        if await review.apply(order.id, found, asked_at=asked_at):
            break
    else:
        raise ExternalUnavailable("the order moves faster than it is read", vendor="salesforce")
    if found.activation_status != "Activating" or order.stage == "active":
        return None
    return {"order_id": str(order.id), "attempt": order.attempt}
