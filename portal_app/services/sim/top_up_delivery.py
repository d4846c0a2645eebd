"""Adding data that are paid, in the worker: once, by the purchase's id, which the carrier's history shows."""

from datetime import timedelta
from uuid import UUID, uuid5

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, LineLocked, NotFound, OutcomeUnknown
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.ports.sim import SimLines
from portal_app.domain.sim.top_up import MB_IN_GB, MOST_SENDS, TopUpState
from portal_app.infra.clock import now
from portal_app.infra.settings import Settings
from portal_app.models.sim_line import SimLineRow
from portal_app.models.top_up import TopUpRow
from portal_app.services.sim.top_up_payment import reference_of
from portal_app.services.sim.top_up_progress import TopUpProgress

_UNCLEAR = (
    "The portal asked WHMCS once to charge it, and does not know whether the card was charged: look at the payment "
    "gateway. If it was, book the payment on the invoice: the portal then adds the data. If it was not, cancel the "
    "invoice. The portal cancels it the day before it is due if it is still unpaid then."
)
_OWED = (
    "It is paid, and the carrier did not take the data when the portal asked. Add {gigabytes} GB by hand with the code "
    "{code}, or refund the invoice."
)


class TopUpDelivery:
    """Each step returns the state it led to, and is safe to repeat."""

    def __init__(self, settings: Settings, progress: TopUpProgress, lines: SimLines, crm: CrmGateway) -> None:
        self._pending = timedelta(seconds=settings.freebit_pending_seconds)
        self._progress = progress
        self._database = progress.database
        self._lines = lines
        self._crm = crm

    async def add_data(self, top_up_id: UUID) -> TopUpState:
        """Add the data, unless the carrier's history shows them; after a lost answer once more, when the lock is over.

        Raises OutcomeUnknown and LineLocked while an earlier call may still be carried out, ExternalRejected where the
        line is another one's by now or the carrier refuses.
        """
        row, _ = await self._progress.read(top_up_id)
        number = await self._number(row)
        if any(each.reference == reference_of(row.id) for each in await self._lines.top_ups(number)):
            return await self._delivered(row)
        if row.data_sends >= MOST_SENDS:
            if row.data_sent_at is not None and now() < row.data_sent_at + self._pending:
                raise OutcomeUnknown("the data may still be added", vendor="freebit")
            raise ExternalRejected("sent twice, and the history does not show it", vendor="freebit")
        await self._count_send(row)
        try:
            await self._lines.add_data(number, row.gigabytes * MB_IN_GB, reference=reference_of(row.id))
        except (LineLocked, ExternalUnavailable, ExternalRejected, NotFound):
            # Nothing was sent, or the carrier said no: what an earlier call did is still looked up.
            await self._take_back_send(row)
            raise
        return await self._delivered(row)

    async def open_case(self, top_up_id: UUID) -> TopUpState:
        """Ask our team: of a charge nobody knows of, or of data that are paid and not added. One case of each kind."""
        row, customer = await self._progress.read(top_up_id)
        is_owed = row.state == "owed"
        text = _OWED.format(gigabytes=row.gigabytes, code=reference_of(row.id)) if is_owed else _UNCLEAR
        await self._crm.open_case(
            customer,
            reference=uuid5(row.id, "data" if is_owed else "charge"),
            subject=f"Top-up {'paid without data' if is_owed else 'with an unclear charge'}: invoice {row.invoice_id}",
            description=f"{row.gigabytes} GB for service {row.service_id}, invoice {row.invoice_id} at WHMCS, "
            f"agreed price {row.price} with tax. {text}",
        )
        return await self._progress.move(top_up_id, "with_team" if is_owed else "unclear")

    async def _number(self, row: TopUpRow) -> str:
        async with self._database.unit_of_work() as session:
            line = await SimLineRow.of_service(session, row.user_id, row.service_id)
        if line is None or not line.is_linked or line.number_index != row.line:
            # The carrier may have given the number to somebody else.
            raise ExternalRejected("the line is not the service's any more", vendor="freebit")
        return line.number

    async def _delivered(self, row: TopUpRow) -> TopUpState:
        async with self._database.unit_of_work() as session:
            line = await session.get(SimLineRow, row.service_id, with_for_update=True)
            if line is not None:
                # The next page reads what is left now.
                line.read_at = None
        return await self._progress.move(row.id, "done", delivered_at=now())

    async def _count_send(self, row: TopUpRow) -> None:
        async with self._database.unit_of_work() as session:
            kept = await TopUpRow.locked(session, row.id)
            kept.data_sends, kept.data_sent_at = row.data_sends + 1, now()

    async def _take_back_send(self, row: TopUpRow) -> None:
        async with self._database.unit_of_work() as session:
            kept = await TopUpRow.locked(session, row.id)
            kept.data_sends, kept.data_sent_at = row.data_sends, row.data_sent_at
