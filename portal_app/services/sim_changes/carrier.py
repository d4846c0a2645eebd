"""Asking the carrier for a change of a line, in the worker, and waiting until the line shows it.

The carrier accepts a change and tells nothing afterwards. The gateway notes it in PostgreSQL before the call; a step
that runs again finds that note and waits for the line instead of asking a second time.
"""

from datetime import timedelta
from typing import cast
from uuid import UUID

from portal_app.domain.errors import ExternalRejected, NotFound, OutcomeUnknown
from portal_app.domain.ports.sim import SimLines
from portal_app.domain.sim.line_change import shows
from portal_app.domain.sim.sim import NetworkType, SimLine, VoiceOption
from portal_app.domain.sim_changes.line_order import LineOrderState, after_change, after_watch, wish_of
from portal_app.domain.sim_changes.plan_change import begins_at
from portal_app.infra.clock import now, today
from portal_app.infra.settings import Settings
from portal_app.models.line_order import LineOrderRow
from portal_app.services.sim.line_changes import LineChanges
from portal_app.services.sim_changes.progress import LineOrderProgress

# What the gateway notes of a change of a kind, and what of it is released once the line shows the change: half an hour
# of the carrier's own lock stays.
_DONE_LOCKS = {"voice": ("voice-order",), "network": (), "plan": ()}


class LineOrderCarrier:
    """Each step returns the state it led to, and is safe to repeat."""

    def __init__(
        self, settings: Settings, progress: LineOrderProgress, lines: SimLines, *, changes: LineChanges
    ) -> None:
        self._grace = timedelta(seconds=settings.freebit_poll_seconds)
        self._longest = {
            "voice": timedelta(seconds=settings.freebit_pending_seconds),
            "network": timedelta(seconds=settings.freebit_lock_seconds),
            "plan": timedelta(seconds=settings.freebit_pending_seconds),
        }
        self._plan_late = timedelta(hours=settings.portal_plan_late_hours)
        self._progress = progress
        self._lines = lines
        self._changes = changes

    async def send(self, order_id: UUID) -> LineOrderState:
        """Ask the carrier, unless it was asked; only what changes is sent.

        Raises LineLocked while the line is busy, ExternalRejected where it is not the service's any more.
        """
        row, _ = await self._progress.read(order_id)
        if row.state != "sending":
            return row.standing_state
        number = await self._number(row)
        noted = await self._progress.own_change(row, _wish(row))
        if noted is not None and (row.sent_at is None or noted.started_at > row.sent_at):
            # A call whose answer we never saw, or that was never made: the line will tell.
            return await self._progress.move(order_id, "changing", sends=row.sends + 1, sent_at=now(), polled_at=None)
        if row.kind == "plan" and row.effective_on is not None and row.effective_on <= today():
            # The agreed day has begun: a plan that came later would be billed for a month it was not there. The note of
            # one that the carrier took before a worker died is gone once its line shows the plan.
            if shows(await self._line(row), _wish(row), iccid_hash=""):
                return await self._progress.move(order_id, "changing", sends=row.sends + 1, sent_at=now())
            return await self._progress.move(order_id, "failed", "too_late")
        try:
            await self._ask(row, number)
        except OutcomeUnknown:
            return await self._progress.move(order_id, "changing", sends=row.sends + 1, sent_at=now(), polled_at=None)
        moment = now()
        return await self._progress.move(
            order_id, "changing", sends=row.sends + 1, sent_at=moment, accepted_at=moment, polled_at=None
        )

    async def watch(self, order_id: UUID) -> LineOrderState:
        """Look whether the line shows the change; one that does not in time came to nothing, and bills nothing."""
        row, _ = await self._progress.read(order_id)
        line = await self._line(row)
        is_overdue = row.sent_at is not None and now() >= row.sent_at + self._longest[row.kind] + self._grace
        found = after_watch(
            shows(line, _wish(row), iccid_hash=""),
            is_overdue=is_overdue,
            was_accepted=row.accepted_at is not None,
            sends=row.sends,
        )
        if found == "pending":
            return await self._progress.move(order_id, "changing", polled_at=now())
        if found == "shown":
            await self._progress.forget_change(row, _DONE_LOCKS[row.kind])
            following = after_change(row.change_kind, target=row.target, is_billed=row.price > 0 or row.old_price > 0)
            return await self._progress.move(order_id, following, shown_at=now(), polled_at=None)
        if found == "send_again":
            noted = await self._progress.own_change(row, _wish(row))
            await self._progress.forget_change(row, (noted.kind,) if noted else ())
            return await self._progress.move(order_id, "sending")
        # Releases the locks of what came to nothing; its notice is the one of this change.
        await self._changes.settle(row.service_id)
        return await self._progress.move(order_id, "failed", "not_carried_out")

    async def watch_plan(self, order_id: UUID) -> LineOrderState:
        """Look, from the 1st on, whether the line has its new plan: only then is it billed."""
        row, _ = await self._progress.read(order_id)
        if row.effective_on is None or row.effective_on > today():
            return row.standing_state
        line = await self._line(row)
        if line.plan_code == row.target:
            await self._progress.forget_change(row, ())
            return await self._progress.move(order_id, "rebilling", polled_at=None)
        if not line.exists:
            raise NotFound("the line is over")
        # The line is looked at once at least, however late that is.
        if row.polled_at is not None and now() >= begins_at(row.effective_on) + self._plan_late:
            return await self._progress.move(order_id, "failed", "not_carried_out")
        return await self._progress.move(order_id, "booked", polled_at=now())

    async def _ask(self, row: LineOrderRow, number: str) -> None:
        if row.kind == "voice":
            await self._lines.change_voice(number, {cast(VoiceOption, row.option): row.target == "on"})
        elif row.kind == "network":
            await self._lines.change_network(number, cast(NetworkType, row.target))
        else:
            await self._lines.change_plan(number, row.target, starts_on=row.effective_on)

    async def _line(self, row: LineOrderRow) -> SimLine:
        return await self._lines.line(await self._number(row))

    async def _number(self, row: LineOrderRow) -> str:
        number = await self._progress.number_of(row)
        if number is None:
            # The carrier may have given the number to somebody else.
            raise ExternalRejected("the line is not the service's any more", vendor="freebit")
        return number


def _wish(row: LineOrderRow) -> dict[str, str]:
    return wish_of(row.change_kind, option=row.option, target=row.target, effective_on=row.effective_on)
