"""Reminders, sent once each from saved data: invoices due or overdue, and cards that expire soon."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.billing.invoice import OPEN_STATUSES, Invoice, PaymentMethod
from portal_app.infra.clock import today
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.notification_preference import Reminder
from portal_app.models.user import IdMapping, User
from portal_app.services.billing.invoice_mirror import INVOICE
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.identity.context import ServiceContext
from portal_app.services.notifications.notices import raise_notice

# What is overdue for longer was announced long ago, or before there were reminders.
_LONGEST_OVERDUE = timedelta(days=30)
# Every customer's cards are checked once in this many days.
_ROUND = 28
# Invoices read at once, and announced at the same time: a few connections of the worker's.
_BATCH, _AT_ONCE = 1000, 4
_DUE = sa.text("""
SELECT m.user_id, m.body, m.due_on, m.invoice_id FROM invoices_mirror m
WHERE NOT m.is_gone AND m.status = ANY(:open) AND m.owed_minor > 0 AND m.due_on BETWEEN :first AND :last
    AND NOT EXISTS (
        SELECT 1 FROM reminders r WHERE r.user_id = m.user_id AND r.source_id = m.invoice_id::text
            AND r.kind = CASE WHEN m.due_on < :today THEN 'invoice_overdue' ELSE 'invoice_due' END)
    AND (m.due_on, m.invoice_id) > (:after_day, :after_id)
ORDER BY m.due_on, m.invoice_id LIMIT :batch
""")
_CUSTOMERS = sa.text("SELECT user_id FROM id_mappings WHERE mod(abs(hashtext(user_id::text)::bigint), :round) = :turn")


class Reminders:
    """Send reminders; runs in the worker."""

    def __init__(self, context: ServiceContext, payments: Payments, live: LiveUpdates) -> None:
        self._context = context
        self._database = context.database
        self._payments = payments
        self._live = live
        self._ahead = timedelta(days=context.settings.portal_due_notice_days)

    async def invoices(self) -> int:
        """Announce every open invoice that is due soon or overdue, each once; return how many there were.

        Batch after batch, until none is left: however many come due on one day, they are announced on it.
        """
        day, count = today(), 0
        asked: dict[str, Any] = {
            "open": list(OPEN_STATUSES), "first": day - _LONGEST_OVERDUE, "last": day + self._ahead, "today": day,
            "after_day": day - _LONGEST_OVERDUE, "after_id": 0, "batch": _BATCH,
        }  # fmt: skip
        while True:
            async with self._database.unit_of_work() as session:
                rows = (await (await session.connection()).execute(_DUE, asked)).all()
            places = asyncio.Semaphore(_AT_ONCE)
            calls = [self._announce(places, row.user_id, INVOICE.validate_python(row.body), day) for row in rows]
            # All of them are tried; where one failed, the step is repeated and finds what is left.
            for outcome in await asyncio.gather(*calls, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
            count += len(rows)
            if len(rows) < _BATCH:
                return count
            asked |= {"after_day": rows[-1].due_on, "after_id": rows[-1].invoice_id}

    async def customers_of_today(self) -> list[str]:
        """Return the customers whose cards are checked today."""
        asked = {"round": _ROUND, "turn": today().toordinal() % _ROUND}
        async with self._database.unit_of_work() as session:
            return [str(row[0]) for row in await (await session.connection()).execute(_CUSTOMERS, asked)]

    async def cards(self, user_id: UUID) -> None:
        """Announce a customer's cards that expire soon, each once. Raises ExternalUnavailable."""
        async with self._database.unit_of_work() as session:
            customer = await IdMapping.customer_of(session, user_id)
        for card in await self._payments.payment_methods_for(customer):
            if card.last_valid_on and card.expires_soon(today()):
                about = {"number": card.last_four, "due_on": card.last_valid_on.isoformat()}
                await self._remind(user_id, "card_expires", _name_of(card), about=about, path="/billing/payments")

    async def _announce(self, places: asyncio.Semaphore, user_id: UUID, invoice: Invoice, day: date) -> None:
        kind = "invoice_overdue" if invoice.due_on and invoice.due_on < day else "invoice_due"
        about = {"number": invoice.label, "amount": str(invoice.owed), "due_on": str(invoice.due_on)}
        about["invoice_id"] = str(invoice.id)
        async with places:
            await self._remind(user_id, kind, str(invoice.id), about=about, path=f"/billing/invoices/{invoice.id}")

    async def _remind(self, user_id: UUID, kind: str, source_id: str, *, about: dict[str, Any], path: str) -> None:
        async with self._database.unit_of_work() as session:
            if not await Reminder.record_first(session, user_id, kind, source_id):
                return
            await self._send(session, user_id, kind, source_id, about, path)
        await self._live.publish(Change(user_id, "notices", ""))

    async def _send(
        self, session: AsyncSession, user_id: UUID, kind: str, source_id: str, about: dict[str, Any], path: str
    ) -> None:
        user = await User.required(session, user_id)
        await self._context.email_outbox.enqueue(session, kind, recipient=user.email, user_id=user_id, **about)
        await raise_notice(session, kind, user_id=user_id, source_id=source_id, subject=about["number"], path=path)


def _name_of(card: PaymentMethod) -> str:
    """Name a card with its last day: renewed under the same id, it is another one."""
    return f"{card.id}-{card.last_valid_on}"
