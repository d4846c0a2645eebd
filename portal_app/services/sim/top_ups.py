"""Top-ups: taken from the customer with their price, and shown with what became of the money and the data."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, NotFound, OfferChanged
from portal_app.domain.idempotency import Claim
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.top_up import TopUpOrder, top_up_total
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.settings import Settings
from portal_app.models.cancellation import CancellationRow
from portal_app.models.sim_line import SimLineRow
from portal_app.models.top_up import TopUpRow
from portal_app.services.audit import Actor, Tag, record
from portal_app.services.identity.context import ServiceContext

_SHOWN = 24
_NOT_ACTIVE = "Data can be added to a line that is active and does not end. This line is not, or not any more."
_UNDER_WAY = "Data for this line are being bought already. Look below: it is shown as it goes on."
_TURN = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


@dataclass(frozen=True, slots=True)
class TopUpPrices:
    """What data cost, by the settings."""

    per_gigabyte: Money
    tax_percent: Decimal

    @classmethod
    def of(cls, settings: Settings) -> "TopUpPrices":
        """Return the prices of the settings."""
        price = Money(settings.portal_top_up_price, settings.whmcs_currency)
        return cls(price, Decimal(settings.tax_percent))

    def total(self, gigabytes: int) -> Money:
        """Return what so many GB cost with tax."""
        return top_up_total(gigabytes, self.per_gigabyte, tax_percent=self.tax_percent)


class TopUps:
    """What customers do and see; the worker does the rest."""

    def __init__(self, context: ServiceContext) -> None:
        self._database = context.database
        self._queue: DurableQueue = context.queue
        self._limits = context.customer_limits
        self.prices = TopUpPrices.of(context.settings)

    async def order(self, customer: Customer, service_id: int, gigabytes: int, *, agreed: int, claim: Claim) -> str:
        """Take a purchase of 1 to 50 GB and return its id; the claim is finished in the same transaction.

        `agreed` is the total the customer saw. Raises OfferChanged where it is another now, NotFound for a service
        without a linked line, also for somebody else's, Conflict where the line is not active or one is under way, and
        RateLimited.
        """
        total = self.prices.total(gigabytes)
        if total.minor != agreed:
            raise OfferChanged(f"agreed to {agreed}, costs {total.minor}")
        await self._limits.count_change(customer.user_id, "top-up")
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await take_turn(session, service_id)
            line = await SimLineRow.of_service(session, customer.user_id, service_id)
            if line is None or not line.is_linked or line.number_index is None:
                raise NotFound("no linked line")
            row = await begin(session, self._queue, line, gigabytes=gigabytes, total=total)
            await claim.finish(session, str(row.id))
        return str(row.id)

    async def of_service(self, customer: Customer, service_id: int) -> list[TopUpOrder]:
        """Return a service's purchases, newest first; none for somebody else's."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            rows = await TopUpRow.of_service(session, service_id, limit=_SHOWN)
            return [row.to_domain() for row in rows if row.user_id == customer.user_id]

    async def one(self, customer: Customer, top_up_id: UUID) -> TopUpOrder:
        """Return one purchase. Raises NotFound, also for somebody else's."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(TopUpRow, top_up_id)
            if row is None or row.user_id != customer.user_id:
                raise NotFound("no such top-up")
            return row.to_domain()


async def take_turn(session: AsyncSession, service_id: int) -> None:
    """Let purchases for one line begin one after the other; the second finds what the first wrote."""
    await (await session.connection()).execute(_TURN, {"name": f"top-up:{service_id}"})


async def begin(
    session: AsyncSession,
    queue: DurableQueue,
    line: SimLineRow,
    *,
    gigabytes: int,
    total: Money,
    is_automatic: bool = False,
) -> TopUpRow:
    """Write a purchase with its workflow in the caller's transaction, after `take_turn`.

    Raises Conflict where the line is not linked, not active or ends, or a purchase is under way.
    """
    snapshot, service_id = line.to_snapshot(), line.service_id
    is_ending = await CancellationRow.open_of(session, line.user_id, service_id) is not None
    good = ("active",) if is_automatic else ("active", "unknown")
    if snapshot.state not in good or snapshot.ends_on is not None or is_ending or line.number_index is None:
        raise Conflict(f"line is {snapshot.state}", user_message=_NOT_ACTIVE, code="line_not_active")
    if await TopUpRow.open_of(session, service_id) is not None:
        raise Conflict("one is under way", user_message=_UNDER_WAY, code="top_up_under_way")
    row = TopUpRow(
        user_id=line.user_id,
        service_id=service_id,
        line=line.number_index,
        gigabytes=gigabytes,
        total=total.minor,
        currency=total.currency,
        is_automatic=is_automatic,
    )
    session.add(row)
    await session.flush()
    await queue.enqueue(session, "top_up", workflow_of(row.id), str(row.id))
    actor: Actor = "system" if is_automatic else "you"
    record(session, Tag.TOP_UP_ASKED, user_id=row.user_id, actor=actor, detail=detail_of(row))
    return row


def workflow_of(top_up_id: UUID) -> str:
    """Return the id of the workflow that carries a purchase out."""
    return f"top-up-{top_up_id}"


def detail_of(row: TopUpRow) -> dict[str, str]:
    """Return what the audit log keeps of a purchase."""
    detail = {"top_up": str(row.id), "service": str(row.service_id), "gigabytes": str(row.gigabytes)}
    return detail | ({"invoice": str(row.invoice_id)} if row.invoice_id else {})
