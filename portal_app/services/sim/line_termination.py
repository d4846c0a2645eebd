"""Ends the line of a cancelled SIM service at the carrier, on the day after the service's last one."""

from datetime import timedelta
from uuid import UUID, uuid5

from portal_app.domain.errors import NotFound
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.ports.sim import SimLines
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.infra.clock import today
from portal_app.infra.database.database import Database
from portal_app.models.cancellation import CancellationRow
from portal_app.models.sim import SimReservation
from portal_app.models.sim_line import SimLineRow


class LineTermination:
    """End lines that are linked to their service; runs in the worker. Agents end all others at the carrier."""

    def __init__(self, database: Database, lines: SimLines, crm: CrmGateway) -> None:
        self._database = database
        self._lines = lines
        self._crm = crm

    async def order(self, cancellation_id: UUID) -> bool:
        """Ask the carrier to end the line of a cancelled service; return whether it has one. Safe to repeat.

        Raises as the network does: LineLocked while an earlier change is under way.
        """
        request, _, number = await self._read(cancellation_id)
        if not number:
            return False
        gone_from = request.ends_on + timedelta(days=1)
        try:
            # For today or earlier the carrier expects no day: it ends the line at once.
            await self._lines.cancel(number, ends_on=gone_from if gone_from > today() else None)
        except NotFound:
            return False
        return True

    async def ask_people(self, cancellation_id: UUID) -> None:
        """Open a case: the carrier does not end this line when we ask. Safe to repeat."""
        request, customer, _ = await self._read(cancellation_id)
        await self._crm.open_case(
            customer,
            reference=uuid5(cancellation_id, "line"),
            subject=f"End the SIM line by hand: {request.service_name}",
            description=f"Service {request.service_id} at WHMCS is cancelled, last day {request.ends_on.isoformat()} "
            "(Japan). The carrier refused to end its line when the portal asked; without that it runs on.",
        )

    async def _read(self, cancellation_id: UUID) -> tuple[CancellationRequest, Customer, str]:
        async with self._database.unit_of_work() as session:
            request, customer = await CancellationRow.with_customer(session, cancellation_id)
            line = await SimLineRow.of_service(session, customer.user_id, request.service_id)
            reserved = await SimReservation.of_service(session, customer.user_id, request.service_id)
            number = line.number if line and line.is_linked else reserved.number if reserved else ""
            return request, customer, number
