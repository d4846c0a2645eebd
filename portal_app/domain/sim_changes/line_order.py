"""A change of a SIM line that a customer asks for: voice option, 4G/5G or plan; its states, and how they follow.

What the carrier and WHMCS do is asked for step by step. Nothing is billed before the line shows the change.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from portal_app.domain.money import Money
from portal_app.domain.sim.sim import SimLine

LineOrderKind = Literal["voice", "network", "plan"]
# A line has one unfinished change of each slot: voice options and 4G/5G exclude each other, a plan change waits beside.
Slot = Literal["line", "plan"]
LineOrderState = Literal[
    "queued", "held", "sending", "changing", "booked", "ordering", "accepting", "ending", "covered", "rebilling",
    "correcting", "asking", "done", "failed", "stopped", "withdrawn", "with_team",
]  # fmt: skip
# Why a change came to nothing, or is with our team.
LineOrderReason = Literal["", "refused", "not_carried_out", "line_not_active", "ending", "too_late", "billing"]
ENDED: frozenset[LineOrderState] = frozenset({"done", "failed", "stopped", "withdrawn", "with_team"})
# The customer may ask for the next change only once these are over. What is paid until a day holds nothing up.
UNSETTLED: tuple[LineOrderState, ...] = (
    "queued", "held", "sending", "changing", "booked", "ordering", "accepting", "ending", "rebilling", "correcting",
    "asking",
)  # fmt: skip
# Withdrawn by the customer while nothing was sent.
WITHDRAWABLE: tuple[LineOrderState, ...] = ("queued", "held")
# What a customer is told: which of nine a state is.
Standing = Literal[
    "queued", "held", "under_way", "booked", "billing", "done", "failed", "stopped", "withdrawn", "with_team"
]
_STANDINGS: dict[LineOrderState, Standing] = {
    "queued": "queued", "held": "held", "sending": "under_way", "changing": "under_way", "booked": "booked",
    "ordering": "billing", "accepting": "billing", "ending": "billing", "rebilling": "billing",
    "correcting": "billing", "asking": "billing", "covered": "done", "done": "done", "failed": "failed",
    "stopped": "stopped", "withdrawn": "withdrawn", "with_team": "with_team",
}  # fmt: skip
_BILLING: frozenset[LineOrderState] = frozenset({"ordering", "accepting", "ending", "rebilling", "correcting"})
# How often the carrier is asked: a second time only where the answer to the first was lost and the line shows nothing.
MOST_SENDS = 2


@dataclass(frozen=True, slots=True)
class LineOrder:
    """One change of a line. `option` is the voice option's name or "", `target` what the line is to show.

    Prices are monthly and without tax: `old_price` what is billed today, `price` what is billed afterwards.
    """

    id: UUID
    service_id: int
    kind: LineOrderKind
    option: str
    target: str
    title: str
    price: Money
    old_price: Money
    state: LineOrderState
    reason: LineOrderReason
    asked_at: datetime
    sends_at: datetime | None
    effective_on: date | None
    ended_at: datetime | None

    @property
    def standing(self) -> Standing:
        """What customers are told of it."""
        return _STANDINGS[self.state]

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself that the customer waits for."""
        return self.state in ENDED or self.state == "covered"

    @property
    def can_be_withdrawn(self) -> bool:
        """Whether nothing was sent yet."""
        return self.state in WITHDRAWABLE


def slot_of(kind: LineOrderKind) -> Slot:
    """Return which changes a change excludes."""
    return "plan" if kind == "plan" else "line"


def wish_of(kind: LineOrderKind, *, option: str, target: str, effective_on: date | None) -> dict[str, str]:
    """Return what the line shows once the carrier has taken a change, as its watched changes name it."""
    if kind == "voice":
        return {option: target}
    if kind == "network":
        return {"network": target}
    wish = {"next_plan": target}
    return wish | ({"next_plan_on": effective_on.isoformat()} if effective_on else {})


def after_change(kind: LineOrderKind, *, target: str, is_billed: bool) -> LineOrderState:
    """Say what follows once the line shows a change; an option that costs nothing has nothing to bill."""
    if kind == "plan":
        return "booked"
    if kind == "network" or not is_billed:
        return "done"
    return "ordering" if target == "on" else "ending"


def after_refusal(state: LineOrderState, code: str) -> tuple[LineOrderState, LineOrderReason]:
    """Say where a step leads that was refused, or that was not possible for a day (`gave_up`)."""
    has_given_up = code == "gave_up"
    if state in _BILLING:
        # The vendor comes back: until then the customer pays less, not more.
        return (state, "") if has_given_up else ("asking", "billing")
    if state == "sending":
        return "failed", "too_late" if has_given_up else "refused"
    if state in ("changing", "booked"):
        return (state, "") if has_given_up else ("failed", "line_not_active")
    if state in WITHDRAWABLE:
        return (state, "") if has_given_up else ("stopped", "line_not_active")
    if state == "covered":
        return (state, "") if has_given_up else ("asking", "billing")
    return "with_team", "billing"


def after_watch(
    is_shown: bool, *, is_overdue: bool, was_accepted: bool, sends: int
) -> Literal["shown", "pending", "send_again", "failed"]:
    """Say what follows from a line that was read while a change of it is waited for.

    One that does not show when its longest time has passed came to nothing; where the answer to it was lost it may
    never have reached the carrier, and is sent once more.
    """
    if is_shown:
        return "shown"
    if not is_overdue:
        return "pending"
    return "failed" if was_accepted or sends >= MOST_SENDS else "send_again"


def may_change(line: SimLine) -> bool:
    """Say whether a line may be changed: only one that is known to be active and does not end."""
    return line.state == "active" and line.ends_on is None
