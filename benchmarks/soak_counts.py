"""What came of the orders of a soak, counted at every vendor and in our own tables."""

from collections import Counter
from dataclasses import dataclass, field

from portal_app.domain.identifiers import step_reference
from portal_app.domain.order import Order
from tests.faults.shop import Buyer, Shop


@dataclass
class Counts:
    """Orders, effects, and what is lost or doubled by kind."""

    facts: dict[str, int | float] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)

    def is_clean(self) -> bool:
        """Say whether nothing was lost and nothing happened twice."""
        return not self.lost.total() and not self.doubled.total()

    def note(self, kind: str, times: int, expected: int = 1) -> None:
        """Take in how often something happened that should have happened so often."""
        self.lost[kind] += max(0, expected - times)
        self.doubled[kind] += max(0, times - expected)

    def table(self) -> str:
        """Return the figures as lines."""
        rows = [*self.facts.items()]
        rows += [(f"lost: {kind}", number) for kind, number in self.lost.items()]
        rows += [(f"doubled: {kind}", number) for kind, number in self.doubled.items()]
        return "".join(f"{name:<40}{number:>10}\n" for name, number in rows)


async def count(shop: Shop, bought: list[tuple[Buyer, Order]], *, kills: Counter[str], drain_seconds: float) -> Counts:
    """Count everything there is of these orders."""
    counts = Counts({"orders": len(bought), **kills, "seconds to come to rest": round(drain_seconds, 1)})
    await _count_vendors(shop, [order for _, order in bought], counts)
    await _count_mails(shop, bought, counts)
    broken = "SELECT count(*) FROM dbos.workflow_status WHERE status NOT IN ('SUCCESS', 'PENDING', 'ENQUEUED')"
    counts.facts["workflows that broke"] = counts.lost["workflows"] = await shop.value(broken)
    counts.facts["orders ever parked"] = await shop.value(
        "SELECT count(DISTINCT order_id) FROM order_events WHERE step LIKE 'failed%%' AND order_id = ANY(%s)",
        [order.id for _, order in bought],
    )
    return counts


async def _count_vendors(shop: Shop, orders: list[Order], counts: Counts) -> None:
    services = (await shop.office.get("/whmcs/services")).json()
    reviews = (await shop.office.get("/orders")).json()
    billed = Counter(reference for row in services for reference in _references(row))
    known = Counter(row["portal_order_id"] for row in reviews)
    done = Counter(row["portal_order_id"] for row in reviews if row["activation_status"] == "Activated")
    for order in orders:
        counts.note("orders active here", int(await shop.stage(order) == "active"))
        counts.note("orders at WHMCS", billed[step_reference(order.id, "whmcs", order.attempt)])
        counts.note("orders at Salesforce", known[str(order.id)])
        counts.note("orders activated at Salesforce", done[str(order.id)])


def _references(service: dict[str, object]) -> set[str]:
    """Return the references of a service's order, each counted once per order: by its recurring service."""
    fields = service["customfields"]
    if not isinstance(fields, dict) or service["billingcycle"] == "One Time":
        return set()
    return {str(value) for value in fields.values() if value}


async def _count_mails(shop: Shop, bought: list[tuple[Buyer, Order]], counts: Counts) -> None:
    ordered = Counter(buyer for buyer, _ in bought)
    for buyer, expected in ordered.items():
        written = await shop.mails_written(buyer.customer.user_id, "order_active")
        counts.note("mails that an order is active", written, expected)
        arrived = len(await shop.mails_to(buyer.email, "is active"))
        counts.facts["mails handed over again"] = counts.facts.get("mails handed over again", 0) + arrived - written
