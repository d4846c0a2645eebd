"""Tell customers by notice and mail what becomes of a change of a line."""

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.money import Money
from portal_app.models.line_order import LineOrderRow
from portal_app.models.sim_line import SimLineRow
from portal_app.models.user import User
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.notifications.notices import raise_notice


class LineAnnouncements:
    """Writes in the caller's transaction."""

    def __init__(self, email_outbox: EmailOutbox) -> None:
        self._outbox = email_outbox

    async def customer(self, session: AsyncSession, row: LineOrderRow, kind: str, *, recipient: str = "") -> None:
        """Raise the notice and write the mail of a kind; without a `recipient` it goes to the account's address."""
        line = await session.get(SimLineRow, row.service_id)
        ending = f"…{line.number[-4:]}" if line and line.number else ""
        await raise_notice(
            session,
            kind,
            user_id=row.user_id,
            # The same source as the notice of the run that looks at overdue changes: a failure is told once.
            source_id=_failed_source(row) if kind == "line_change_failed" else str(row.id),
            subject=ending if kind == "line_change_failed" else " ".join(filter(None, (row.title, ending))),
            path=f"/subscriptions/{row.service_id}",
        )
        content = {"title": row.title, "line": ending, "service_id": str(row.service_id), "reason": row.reason}
        if row.kind == "plan" and row.effective_on and row.sends_at:
            content |= {
                "starts_on": row.effective_on.isoformat(),
                "sends_at": row.sends_at.isoformat(),
                "price": str(Money(row.price, row.currency)),
                "old_price": str(Money(row.old_price, row.currency)),
            }
        user = await User.required(session, row.user_id) if not recipient else None
        await self._outbox.enqueue(
            session, kind, recipient=recipient or (user.email if user else ""), user_id=row.user_id, **content
        )


def _failed_source(row: LineOrderRow) -> str:
    # A voice order is watched under the shorter of its two locks.
    kind = {"voice": "voice-order"}.get(row.kind, row.kind)
    return f"{row.service_id}:{kind}"
