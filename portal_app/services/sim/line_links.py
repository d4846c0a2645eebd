"""Links services to SIM lines, in the worker: the portal's own orders, and lines that agents opened."""

from datetime import timedelta
from uuid import UUID, uuid5

from sqlalchemy.exc import IntegrityError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.ports.fulfilment import LinkingVendors
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.line_link import REASONS, LineFields, LinkRefusal, is_new, refusal_of
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.sim import SimLine
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now, today
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.models.line_change import LINE_PLACE
from portal_app.models.sim import SimReservation
from portal_app.models.sim_line import SimLineRow
from portal_app.models.user import IdMapping
from portal_app.services.catalog.catalog import Catalog

# An order waits so long at most before it has a service.
_LONGEST_ORDER = timedelta(days=30)
_CASES = UUID("5b0b3a52-6f0f-5d0e-9a59-7c1f7a2f7f10")


class LineLinks:
    """Decide which line is a service's. A number has one service; a doubtful one has none, and a case."""

    def __init__(
        self, settings: Settings, database: Database, vendors: LinkingVendors, *, catalog: Catalog, live: LiveUpdates
    ) -> None:
        self._names = [name.strip() for name in settings.whmcs_sim_fields.split(",")]
        self._database = database
        self._subscriptions, self._lines, self._crm = vendors.subscriptions, vendors.sims, vendors.crm
        self._catalog = catalog
        self._live = live
        self._ring = key_ring_of(settings)

    async def link(self, user_id: UUID, service_id: int) -> LinkRefusal | None:
        """Link a service's line unless it is linked; return why it was not. Safe to repeat.

        Raises NotFound for another customer's service, and as WHMCS, the catalogue and the carrier do.
        """
        async with self._database.unit_of_work() as session:
            customer = await IdMapping.customer_of(session, user_id)
            known = await SimLineRow.of_service(session, user_id, service_id)
            reserved = await SimReservation.of_service(session, user_id, service_id)
            if known is not None and known.is_linked:
                return None
            if reserved is not None:
                await link_reserved(session, reserved, service_id)
                return None
            is_awaited = await SimReservation.is_awaited(session, user_id, since=now() - _LONGEST_ORDER)
        service = await self._subscriptions.subscription(customer.whmcs_client_id, service_id)
        plans = await self._catalog.sim_plans()
        is_sim = service.product_id in plans or service.category == "sim"
        if not is_sim or service.status not in ("active", "suspended") or is_awaited:
            return None
        refusal = await self._decide(customer, service)
        await self._live.publish(Change(user_id, "orders"))
        return refusal

    async def open_case(self, user_id: UUID, service_id: int, reason: LinkRefusal) -> None:
        """Ask agents to see to a service without a line: one case for each service and reason. Safe to repeat."""
        async with self._database.unit_of_work() as session:
            customer = await IdMapping.customer_of(session, user_id)
        await open_line_case(
            self._crm, customer, service_id, kind=reason, subject="SIM line not linked", words=REASONS[reason]
        )

    async def _decide(self, customer: Customer, service: Subscription) -> LinkRefusal | None:
        told = await self._subscriptions.service_fields(customer.whmcs_client_id, service.id, self._names)
        fields = LineFields(*(told.get(name, "").strip() for name in self._names))
        if not fields.number and is_new(service.registered_on, today()):
            return None
        if not fields.number:
            return await self._refuse(customer, service.id, "no_number")
        try:
            number = fields.parsed_number()
        except ValueError:
            return await self._refuse(customer, service.id, "bad_number")
        if await self._is_taken(customer, service.id, number):
            return await self._refuse(customer, service.id, "taken")
        try:
            line: SimLine | None = await self._lines.line(number)
        except NotFound:
            line = None
        refusal = refusal_of(fields, line, (await self._catalog.sim_plans()).get(service.product_id))
        if refusal or line is None:
            return await self._refuse(customer, service.id, refusal or "no_line")
        try:
            await self._accept(customer, service.id, line)
        except IntegrityError:
            # Another service got the number in this moment.
            return await self._refuse(customer, service.id, "taken")
        return None

    async def _is_taken(self, customer: Customer, service_id: int, number: str) -> bool:
        index = self._ring.index(number, LINE_PLACE)
        async with self._database.unit_of_work() as session:
            linked = await SimLineRow.of_number(session, index)
            ordered = (await session.exec(select(SimReservation).where(SimReservation.number_index == index))).first()
        is_ordered = ordered is not None and ordered.service_id != service_id
        return is_ordered or (linked is not None and linked.service_id != service_id)

    async def _accept(self, customer: Customer, service_id: int, line: SimLine) -> None:
        async with self._database.unit_of_work() as session:
            row = await _row(session, customer.user_id, service_id)
            row.state, row.reason, row.checked_at = "linked", "", now()
            row.number, row.number_index = line.account, self._ring.index(line.account, LINE_PLACE)
            row.iccid, row.eid = line.iccid, line.eid
            row.body, row.read_at = LineSnapshot.of_line(line).to_json(), None
            session.add(row)

    async def _refuse(self, customer: Customer, service_id: int, reason: LinkRefusal) -> LinkRefusal:
        async with self._database.unit_of_work() as session:
            row = await _row(session, customer.user_id, service_id)
            row.state, row.reason, row.checked_at = "refused", reason, now()
            row.number = row.iccid = row.eid = ""
            row.number_index, row.body = None, {}
            session.add(row)
        return reason


async def link_reserved(session: AsyncSession, reserved: SimReservation, service_id: int) -> None:
    """Link the line of an order of ours to its service, in the caller's transaction. The order decides."""
    other = await SimLineRow.of_number(session, reserved.number_index)
    if other is not None and other.service_id != service_id:
        other.state, other.reason, other.number_index = "refused", "taken", None
        await session.flush()
    row = await _row(session, reserved.user_id, service_id)
    row.state, row.reason, row.checked_at = "linked", "", now()
    row.number, row.number_index = reserved.number, reserved.number_index
    row.iccid, row.eid = reserved.iccid, reserved.eid
    row.body = row.body or LineSnapshot(state=reserved.to_state()).to_json()
    session.add(row)


async def open_line_case(
    crm: CrmGateway, customer: Customer, service_id: int, *, kind: str, subject: str, words: str
) -> None:
    """Open one case of a kind about the line of a service. Safe to repeat."""
    await crm.open_case(
        customer,
        reference=uuid5(_CASES, f"{service_id}:{kind}"),
        subject=f"{subject}: service {service_id}",
        description=f"Service {service_id} at WHMCS. {words}",
    )


async def _row(session: AsyncSession, user_id: UUID, service_id: int) -> SimLineRow:
    found = await session.get(SimLineRow, service_id, with_for_update=True)
    return found or SimLineRow(service_id=service_id, user_id=user_id, number="", iccid="", eid="")
