"""Invariants: an event that was received and never applied is named."""

from datetime import timedelta
from uuid import uuid4

from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.models.inbox import Inbox
from portal_app.services.operations.invariants import Invariants


class NothingStuck:
    """Orders without a stuck one."""

    async def found(self) -> list[object]:
        return []


class NoOrders:
    """A billing system without orders."""

    async def find_order(self, client_id: int, reference: str) -> None:
        return None


class NoServices:
    """A billing system without services."""

    async def subscriptions(self, client_id: int) -> list[Subscription]:
        return []


async def test_an_event_that_was_taken_in_an_hour_ago_and_not_applied_breaks_an_invariant(worker: Database) -> None:
    invariants = Invariants(worker, NoServices(), NoOrders(), NothingStuck())  # type: ignore[arg-type]
    before = (await invariants.violations())["unapplied_events"]
    long_ago, event_id = now() - timedelta(hours=2), uuid4().hex
    events = {
        event_id: {"received_at": long_ago},
        uuid4().hex: {"received_at": now()},
        uuid4().hex: {"received_at": long_ago, "handled_at": now()},
    }
    async with worker.unit_of_work() as session:
        for name, times in events.items():
            session.add(Inbox(source="whmcs", id=name, kind="InvoicePaid", **times))
    assert (await invariants.violations())["unapplied_events"] == before + 1
    async with worker.unit_of_work() as session:
        row = await session.get(Inbox, ("whmcs", event_id))
        assert row is not None
        row.handled_at = now()
    assert (await invariants.violations())["unapplied_events"] == before
