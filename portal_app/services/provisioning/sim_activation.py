"""Opening the line of a SIM order: a SIM set aside, the activation, voice, and the numbers written where they belong.

The recipes follow Freebit's operations: eSIM PA05-41; physical PA02-01, or PA05-19 with a number brought along, each
followed by PA05-05 where the plan has voice. An answer means accepted: the line's state tells when it is done.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from portal_app.domain.checkout.options import SimOptions
from portal_app.domain.errors import ExternalUnavailable, NotFound, OrderStopped
from portal_app.domain.orders.order import Order
from portal_app.domain.ports.fulfilment import FulfillingVendors
from portal_app.domain.sim.sim import NewLine, SimLine, VoiceOption
from portal_app.infra.clock import now
from portal_app.infra.settings import Settings
from portal_app.services.orders.timeline import OrderTimeline
from portal_app.services.profile.kyc_review import KycReview
from portal_app.services.sim.line_links import link_reserved
from portal_app.services.sim.reservations import SimReservations, reservation
from portal_app.services.write_guard import WriteGuard

Progress = Literal["open", "waiting", "late", "switch"]


class SimActivation:
    """Open lines, each step safe to repeat."""

    def __init__(
        self,
        settings: Settings,
        progress: OrderTimeline,
        vendors: FulfillingVendors,
        *,
        reservations: SimReservations,
        checks: KycReview,
    ) -> None:
        self._longest = timedelta(seconds=settings.freebit_opening_seconds)
        self._fields = [name.strip() for name in settings.whmcs_sim_fields.split(",")]
        self._progress = progress
        self._database = progress.database
        self._inventory, self._lines, self._subscriptions = vendors.sim_inventory, vendors.sims, vendors.subscriptions
        self._reservations = reservations
        self._checks = checks
        # No time to settle: the line stays locked at Freebit for as long as a change of it runs.
        self._voice_guard = WriteGuard(progress.database, reservation, "voice_tried_at")

    async def may_open(self, order_id: UUID) -> bool:
        """Say whether the law lets the order's line be opened: a voice line needs its holder's identity verified."""
        order, customer = await self._progress.order(order_id)
        if order.category != "sim" or not (await self._inventory.sim_order(order.sf_order_id)).options.has_voice:
            return True
        return await self._checks.is_verified(customer)

    async def reserve(self, order_id: UUID) -> datetime | None:
        """Set a SIM aside for an order, the same one whenever asked; return from when it may be opened."""
        order, customer = await self._progress.order(order_id)
        wanted = await self._inventory.sim_order(order.sf_order_id)
        await self._reservations.reserve(order, customer, wanted)
        await self._progress.advance(order_id, "sim_reserved", stage="being_set_up")
        return wanted.opens_at

    async def wait_for_day(self, order_id: UUID) -> None:
        """Note that the order waits for the day it was ordered for."""
        await self._progress.advance(order_id, "scheduled", stage="being_set_up")

    async def open(self, order_id: UUID) -> None:
        """Ask the carrier to open the line, as the kind of SIM needs it; one that is open or opening is left alone."""
        order, _ = await self._progress.order(order_id)
        wanted, reserved = (
            await self._inventory.sim_order(order.sf_order_id),
            await self._reservations.for_order(order_id),
        )
        new = NewLine(
            reserved.number,
            wanted.plan_code,
            product_number=reserved.product_number,
            plan_kind=wanted.plan_kind,
        )
        if wanted.options.sim_type == "esim":
            await self._lines.activate_esim(new, eid=reserved.eid, port_in=wanted.options.port_in)
        elif wanted.options.port_in:
            await self._lines.activate_ported(new, wanted.options.port_in)
        else:
            await self._lines.activate_physical(new)
        async with self._database.unit_of_work() as session:
            row = await reservation(session, order_id)
            row.opening_at = now()
        await self._progress.advance(order_id, "line_ordered", stage="being_set_up")

    async def register_voice(self, order_id: UUID) -> None:
        """Register a physical SIM's voice options and holder once; other lines need none here.

        Freebit can neither be asked whether it was done nor take it back: a try whose answer was lost is repeated
        only when the lock of the line has run out and the options do not show.
        """
        order, _ = await self._progress.order(order_id)
        wanted, reserved = await self._options(order), await self._reservations.for_order(order_id)
        if wanted.sim_type == "esim" or not wanted.has_voice or wanted.holder is None:
            return
        async with self._database.unit_of_work() as session:
            is_done = (await reservation(session, order_id)).voice_done_at is not None

        async def register() -> bool:
            await self._register_voice(reserved.number, wanted)
            return True

        async def shows() -> bool | None:
            return await self._shows(reserved.number, _chosen(wanted)) or None

        if not is_done:
            await self._voice_guard.send(order_id, register, look_up=shows, vendor="freebit")
        async with self._database.unit_of_work() as session:
            (await reservation(session, order_id)).voice_done_at = now()
        await self._progress.advance(order_id, "voice_ordered", stage="being_set_up")

    async def poll(self, order_id: UUID) -> Progress:
        """Read how far the carrier is; "switch" asks for an open eSIM's voice options. Open is a line with its options.

        Raises OrderStopped where the line came to nothing.
        """
        order, _ = await self._progress.order(order_id)
        wanted, line = await self._options(order), await self._line(order_id)
        async with self._database.unit_of_work() as session:
            row = await reservation(session, order_id)
            row.state, row.read_at = line.state if line else "waiting", now()
            row.iccid = line.iccid if line and line.iccid else row.iccid
            since = row.opening_at or now()
            if line and line.state == "obsolete":
                row.voice_tried_at = row.voice_done_at = None
        if line and line.state == "obsolete":
            # Approved again, the order goes on at once and asks for the voice options of the new line too.
            await self._lines.note_failed_opening(line.account)
            raise OrderStopped(
                "The carrier did not open the line: its order came to nothing. Approve again to order anew.",
                code="LINE_NOT_OPENED",
            )
        if line and line.state == "active" and _has_options(line, wanted):
            return "open"
        if now() > since + self._longest:
            return "late"
        return "switch" if line and line.state == "active" and wanted.sim_type == "esim" else "waiting"

    async def switch_voice(self, order_id: UUID) -> None:
        """Switch an open eSIM's voice options on, where any were ordered."""
        order, _ = await self._progress.order(order_id)
        wanted, reserved = await self._options(order), await self._reservations.for_order(order_id)
        on = {name: True for name, chosen in _chosen(wanted).items() if chosen}
        if wanted.sim_type == "esim" and wanted.has_voice and on:
            await self._lines.change_voice(reserved.number, on)

    async def record(self, order_id: UUID, service_id: int) -> None:
        """Write the line's number, ICCID and EID to its WHMCS service, and remember which service it is."""
        _, customer = await self._progress.order(order_id)
        async with self._database.unit_of_work() as session:
            row = await reservation(session, order_id)
            row.service_id = service_id
            await link_reserved(session, row, service_id)
            reserved = row.to_domain()
        values = (reserved.number, reserved.iccid, reserved.eid)
        told = {name: value for name, value in zip(self._fields, values, strict=True) if value}
        await self._subscriptions.set_service_fields(customer.whmcs_client_id, service_id, told)
        await self._progress.advance(order_id, "line_open", stage="being_set_up")

    async def _options(self, order: Order) -> SimOptions:
        return (await self._inventory.sim_order(order.sf_order_id)).options

    async def _register_voice(self, number: str, wanted: SimOptions) -> None:
        if wanted.holder is None:
            return
        try:
            await self._lines.register_voice(number, _chosen(wanted), wanted.holder)
        except NotFound as error:
            raise ExternalUnavailable("the new line is not to be seen yet", vendor="freebit") from error

    async def _shows(self, number: str, options: Mapping[VoiceOption, bool]) -> bool:
        line = await self._lines.line(number)
        return any(options.values()) and all(line.voice.get(name) is on for name, on in options.items())

    async def _line(self, order_id: UUID) -> SimLine | None:
        try:
            return await self._lines.line((await self._reservations.for_order(order_id)).number)
        except NotFound:
            return None


def _has_options(line: SimLine, wanted: SimOptions) -> bool:
    """Say whether every voice option that was ordered is on."""
    return not wanted.has_voice or all(line.voice.get(name) for name, chosen in _chosen(wanted).items() if chosen)


def _chosen(wanted: SimOptions) -> dict[VoiceOption, bool]:
    return {"voice_mail": wanted.voice_mail, "call_waiting": wanted.call_waiting}
