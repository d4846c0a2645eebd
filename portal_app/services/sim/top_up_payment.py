"""Paying for data, in the worker: one invoice, compared with what was shown, charged once.

WHMCS knows no idempotency key. An invoice is found again by our reference; a charge is never made a second time: where
its answer is lost the invoice is read until it is paid, or our team is asked.
"""

from datetime import datetime, timedelta
from uuid import UUID

from portal_app.domain.billing.charge import CaptureAnswer, ChargedInvoice, NewInvoice
from portal_app.domain.billing.invoice import PaymentMethod
from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.domain.ports.billing import PaymentMethodGateway
from portal_app.domain.ports.charges import ChargeGateway
from portal_app.domain.ports.sim import SimLines
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.top_up import PaymentTimes, TopUpState, after_compare, after_reading, top_up_amount
from portal_app.infra.clock import now, today
from portal_app.infra.settings import Settings
from portal_app.language.format import JAPAN
from portal_app.models.sim_line import SimLineRow
from portal_app.models.top_up import TopUpRow
from portal_app.services.sim.top_up_progress import TopUpProgress
from portal_app.services.sim.top_ups import TopUpPrices
from portal_app.services.write_guard import WriteGuard


class TopUpPayment:
    """Each step returns the state it led to, and is safe to repeat."""

    def __init__(
        self,
        settings: Settings,
        progress: TopUpProgress,
        charges: ChargeGateway,
        *,
        methods: PaymentMethodGateway,
        lines: SimLines,
    ) -> None:
        self._settings = settings
        self._progress = progress
        self._charges = charges
        self._methods = methods
        self._lines = lines
        self._prices = TopUpPrices.of(settings)
        self._settle = timedelta(seconds=settings.whmcs_settle_seconds)
        self._confirm = timedelta(seconds=settings.portal_top_up_confirm_seconds)
        self._guard = WriteGuard(progress.database, TopUpRow.locked, "invoice_tried_at", settle=self._settle)

    async def check(self, top_up_id: UUID) -> TopUpState:
        """See that the line is active and does not end, and that there is a card: before there is an invoice."""
        row, customer = await self._progress.read(top_up_id)
        if self._is_too_late(row):
            return await self._progress.move(top_up_id, "stopping", "too_late")
        async with self._progress.database.unit_of_work() as session:
            line = await SimLineRow.of_service(session, row.user_id, row.service_id)
        if line is None or line.number_index != row.line or not await self._is_active(line.number):
            return await self._progress.move(top_up_id, "stopping", "line_not_active")
        card = _charged_by_default(await self._methods.payment_methods(customer.whmcs_client_id))
        if card is None:
            return await self._progress.move(top_up_id, "stopping", "no_card")
        return await self._progress.move(top_up_id, "checked", gateway=card.gateway)

    async def invoice(self, top_up_id: UUID) -> TopUpState:
        """Write the invoice, unless our reference is there already.

        Raises OutcomeUnknown while an earlier call, whose answer we never saw, may still be running inside WHMCS.
        """
        row, customer = await self._progress.read(top_up_id)
        if self._is_too_late(row):
            return await self._progress.move(top_up_id, "stopping", "too_late")
        client_id, due_on = customer.whmcs_client_id, today() + timedelta(days=self._settings.portal_top_up_due_days)
        new = NewInvoice(
            description=f"Data top-up {row.gigabytes} GB",
            amount=top_up_amount(row.gigabytes, self._prices.per_gigabyte),
            gateway=row.gateway,
            due_on=due_on,
            reference=reference_of(row.id),
        )
        number = await self._guard.send(
            top_up_id,
            lambda: self._charges.create_invoice(client_id, new),
            look_up=lambda: self._charges.find_invoice(client_id, new.reference),
            vendor="whmcs",
            always_look_up=True,
        )
        return await self._progress.move(top_up_id, "invoiced", invoice_id=number, due_on=due_on, invoiced_at=now())

    async def compare(self, top_up_id: UUID) -> TopUpState:
        """Compare what WHMCS wants with what the customer agreed to; credit may have paid it by itself."""
        row, customer = await self._progress.read(top_up_id)
        state, reason = after_compare(await self._read(row, customer), row.price)
        return await self._progress.move(top_up_id, state, reason)

    async def capture(self, top_up_id: UUID) -> TopUpState:
        """Charge the stored card, once: a step that runs again only reads."""
        row, customer = await self._progress.read(top_up_id)
        if row.capture_tried_at is not None:
            return await self._progress.move(top_up_id, "charging")
        if self._is_too_late(row):
            return await self._progress.move(top_up_id, "stopping", "too_late")
        found = await self._read(row, customer)
        if found.is_paid or found.invoice.status != "unpaid" or found.was_tried:
            # Staff, credit or the cron were here first: what they did is read until it is known.
            return await self._progress.move(top_up_id, "charging", capture_tried_at=now())
        await self._progress.move(top_up_id, "compared", capture_tried_at=now())
        said = await self._capture_once(top_up_id, found.invoice.id)
        if said == "declined":
            return await self._ask_to_confirm(top_up_id)
        return await self._progress.move(top_up_id, "charging")

    async def read_payment(self, top_up_id: UUID) -> TopUpState:
        """Read what became of the payment."""
        row, customer = await self._progress.read(top_up_id)
        state = row.standing_state
        try:
            found = await self._read(row, customer)
        except NotFound:
            return await self._progress.move(top_up_id, "stopped", "invoice_gone")
        following, reason = after_reading(state, found, self._times(row), now())
        if state == "confirm" and following == "charging":
            # Begun on WHMCS's page, and pending there: from now on it is waited for as any charge.
            return await self._progress.move(top_up_id, following, reason, capture_tried_at=now())
        return await self._progress.move(top_up_id, following, reason)

    async def cancel_invoice(self, top_up_id: UUID) -> TopUpState:
        """Cancel an invoice that is not paid, so that WHMCS's next run does not charge it; read before and after.

        Raises OutcomeUnknown while an invoice, whose answer we never saw, may still be written.
        """
        row, customer = await self._progress.read(top_up_id)
        if row.invoice_id is None and not await self._find_lost_invoice(row, customer):
            return await self._progress.move(top_up_id, "stopped")
        try:
            found = await self._read(row, customer)
            if found.invoice.status == "payment_pending" and not found.is_paid:
                return await self._progress.move(top_up_id, "charging", capture_tried_at=now())
            if not found.is_paid and found.invoice.status in ("unpaid", "collections", "draft"):
                await self._charges.cancel_invoice(found.invoice.id)
                # Somebody may have paid it at this very moment.
                found = await self._read(row, customer)
        except NotFound:
            return await self._progress.move(top_up_id, "stopped")
        return await self._progress.move(top_up_id, "paid" if found.is_paid else "stopped")

    async def _is_active(self, number: str) -> bool:
        try:
            line = await self._lines.line(number)
        except NotFound:
            return False
        return line.state == "active" and line.ends_on is None

    async def _capture_once(self, top_up_id: UUID, invoice_id: int) -> CaptureAnswer:
        try:
            return await self._charges.capture(invoice_id)
        except ExternalUnavailable:
            # WHMCS never got it: nothing was charged.
            await self._progress.move(top_up_id, "compared", capture_tried_at=None)
            raise
        except ExternalRejected:
            return "declined"
        except OutcomeUnknown:
            return "accepted"

    async def _ask_to_confirm(self, top_up_id: UUID) -> TopUpState:
        until = now() + self._confirm
        return await self._progress.move(top_up_id, "confirm", "declined", confirm_until=until)

    async def _find_lost_invoice(self, row: TopUpRow, customer: Customer) -> bool:
        if row.invoice_tried_at is None:
            return False
        number = await self._charges.find_invoice(customer.whmcs_client_id, reference_of(row.id))
        if number is None:
            if now() < row.invoice_tried_at + self._settle:
                raise OutcomeUnknown("the invoice may still be written", vendor="whmcs")
            return False
        row.invoice_id = number
        await self._progress.move(row.id, row.standing_state, invoice_id=number, invoiced_at=now())
        return True

    async def _read(self, row: TopUpRow, customer: Customer) -> ChargedInvoice:
        if row.invoice_id is None:
            raise NotFound("no invoice")
        return await self._charges.charged_invoice(customer.whmcs_client_id, row.invoice_id)

    def _is_too_late(self, row: TopUpRow) -> bool:
        """Say whether WHMCS was away so long that the customer no longer waits for the charge."""
        return now() > row.asked_at + self._confirm

    def _times(self, row: TopUpRow) -> PaymentTimes:
        return PaymentTimes(
            tried_at=row.capture_tried_at,
            confirm_until=row.confirm_until,
            give_up_at=_give_up_at(row),
            unknown=timedelta(seconds=self._settings.portal_top_up_unknown_seconds),
        )


def reference_of(top_up_id: UUID) -> str:
    """Return the reference that the invoice's notes and the carrier's history hold."""
    return str(top_up_id)


def _give_up_at(row: TopUpRow) -> datetime:
    """Return when an unpaid invoice is cancelled although its charge is unclear: a day before WHMCS charges it."""
    due_on = row.due_on or row.asked_at.astimezone(JAPAN).date()
    return datetime.combine(due_on - timedelta(days=1), datetime.min.time(), JAPAN)


def _charged_by_default(methods: list[PaymentMethod]) -> PaymentMethod | None:
    cards = [each for each in methods if each.kind == "card" and each.gateway and not each.is_expired(today())]
    return next((each for each in cards if each.is_default), cards[0] if cards else None)
