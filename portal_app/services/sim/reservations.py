"""Reserves SIMs for orders: two orders never share a SIM or a number."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.checkout.options import SimType
from portal_app.domain.errors import NotFound, OrderStopped
from portal_app.domain.orders.order import Order
from portal_app.domain.orders.sim_order import ReservedLine, SimOrder, StockSim
from portal_app.domain.ports.sim import SimInventoryGateway
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.security.encryption import KeyRing
from portal_app.models.sim import SimReservation

# As agents know them.
_NAMES: dict[SimType, str] = {"physical": "Physical SIM", "esim": "eSIM"}
NUMBER_PLACE = "sim_reservations.number"


class SimReservations:
    """Our table decides who has a SIM; Salesforce's inventory follows it."""

    def __init__(self, database: Database, inventory: SimInventoryGateway, ring: KeyRing) -> None:
        self._database = database
        self._inventory = inventory
        self._ring = ring

    async def reserve(self, order: Order, customer: Customer, wanted: SimOrder) -> ReservedLine:
        """Reserve a SIM for an order, the same one on every call. Raises OrderStopped where there is none."""
        reserved = await self._found(order.id) or await self._reserve(order, wanted)
        if reserved.stock_id:
            await self._inventory.assign(
                reserved.stock_id, sf_order_id=order.sf_order_id, sf_account_id=customer.sf_account_id
            )
        return reserved

    async def for_order(self, order_id: UUID) -> ReservedLine:
        """Return the line of an order. Raises NotFound before it is reserved."""
        reserved = await self._found(order_id)
        if reserved is None:
            raise NotFound("no SIM is reserved")
        return reserved

    async def _reserve(self, order: Order, wanted: SimOrder) -> ReservedLine:
        if not wanted.needs_stock:
            if made := await self._take(order, wanted, None):
                return made
            raise OrderStopped("Another order brings the same number along.", code="NUMBER_TAKEN")
        known = await self._inventory.assigned_to(order.sf_order_id)
        for sim in [known] if known else await self._inventory.available(wanted.options.sim_type):
            if made := await self._take(order, wanted, sim):
                return made
        name = _NAMES[wanted.options.sim_type]
        raise OrderStopped(f"No SIM of type {name} is available.", code="SIM_OUT_OF_STOCK")

    async def _take(self, order: Order, wanted: SimOrder, sim: StockSim | None) -> ReservedLine | None:
        """Write the reservation; None where the SIM or the number is another order's."""
        number = wanted.options.number or (sim.number if sim else "")
        row = SimReservation(
            order_id=order.id,
            user_id=order.user_id,
            stock_id=sim.id if sim else None,
            number=number,
            number_index=self._ring.index(number, NUMBER_PLACE),
            iccid=sim.iccid if sim else "",
            product_number=sim.product_number if sim else "",
            eid=wanted.options.eid,
        )
        try:
            async with self._database.unit_of_work() as session:
                session.add(row)
        except IntegrityError:
            # The SIM's, the number's or, where this step ran twice at once, our own.
            return await self._found(order.id)
        return row.to_domain()

    async def _found(self, order_id: UUID) -> ReservedLine | None:
        async with self._database.unit_of_work() as session:
            row = await session.get(SimReservation, order_id)
        return row.to_domain() if row else None


async def reservation(session: AsyncSession, order_id: UUID) -> SimReservation:
    """Return an order's reservation, locked for this transaction. Raises NotFound."""
    row = await session.get(SimReservation, order_id, with_for_update=True)
    if row is None:
        raise NotFound("no SIM is reserved")
    return row
