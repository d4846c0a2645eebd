"""What a purchase of data means for a line's alerts and for its automatic top-up."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.money import Money
from portal_app.domain.sim.auto_top_up import off_reason, spent_in
from portal_app.domain.sim.line_reading import month_begin, month_of
from portal_app.infra.clock import now
from portal_app.models.line_alert import AutoTopUpRow
from portal_app.models.sim_line import SimLineRow
from portal_app.models.top_up import TopUpRow
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.notifications.notices import raise_notice
from portal_app.services.sim.readings import NoteLines


class TopUpOutcomes:
    """Follows purchases, in the transaction that moves them; runs in the worker."""

    def __init__(self, email_outbox: EmailOutbox, note: NoteLines) -> None:
        self._email_outbox = email_outbox
        self._note = note

    async def moved(self, session: AsyncSession, row: TopUpRow) -> None:
        """Have alerts on money looked at; tell of data that were bought by themselves, and turn it off after a no."""
        if row.state == "paid":
            await self._note(session, [row.service_id])
        if not row.is_automatic:
            return
        choice = await session.get(AutoTopUpRow, row.service_id, with_for_update=True)
        if choice is None or choice.user_id != row.user_id:
            return
        if row.state == "done":
            await tell_of_choice(session, self._email_outbox, choice, "auto_top_up_done", bought=row)
        reason = off_reason(row.standing_state, row.to_domain().reason)
        # Turned on again since, with another card perhaps: that purchase does not speak against it.
        if reason and choice.is_on and choice.changed_at <= row.asked_at:
            choice.turn_off(reason)
            detail = {"service": str(row.service_id), "reason": reason, "top_up": str(row.id)}
            record(session, Tag.AUTO_TOP_UP_OFF, user_id=row.user_id, detail=detail)
            await tell_of_choice(session, self._email_outbox, choice, "auto_top_up_off", bought=row)


async def tell_of_choice(
    session: AsyncSession, email_outbox: EmailOutbox, choice: AutoTopUpRow, kind: str, *, bought: TopUpRow | None = None
) -> None:
    """Write the notice and the mail about an automatic top-up, in the caller's transaction."""
    line = await session.get(SimLineRow, choice.service_id)
    number = f"…{line.number[-4:]}" if line is not None and line.number else ""
    user = await User.required(session, choice.user_id)
    total = bought.price if bought else Money(choice.total, choice.currency)
    gigabytes = bought.gigabytes if bought else choice.gigabytes
    await email_outbox.enqueue(
        session,
        kind,
        recipient=user.email,
        user_id=user.id,
        number=number,
        gigabytes=str(gigabytes),
        amount=str(total),
        spent=str(await _spent(session, choice, now())),
        cap=str(Money(choice.cap, choice.currency)),
        reason=choice.off_reason,
        service_id=str(choice.service_id),
    )
    await raise_notice(
        session,
        kind,
        user_id=choice.user_id,
        source_id=f"{choice.service_id}:{bought.id if bought else format(month_of(now()), '%Y-%m')}",
        subject=" ".join(each for each in (f"{gigabytes} GB", number) if each),
        path=f"/subscriptions/{choice.service_id}",
    )


async def _spent(session: AsyncSession, choice: AutoTopUpRow, at: datetime) -> Money:
    month = month_of(at)
    bought = await TopUpRow.of_lines(session, [choice.service_id], since=month_begin(month))
    return Money(spent_in([each.to_past() for each in bought], month, with_open=True), choice.currency)
