"""Changes that the carrier carries out in its own time: what a line shows afterwards, and when one has failed.

Freebit accepts voice, 4G/5G and profile changes and tells nothing afterwards. A change that does not show when its
longest time has passed was not carried out: the lock is lifted, its customer is told and may try again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from portal_app.domain.sim.sim import SimLine

ChangeOutcome = Literal["pending", "done", "failed"]
# The kind of a lock that the carrier told of.
CARRIER = "carrier"
# The locks that hold a change up, by its kind.
VOICE_WAITS_FOR = ("network", "voice-order")
NETWORK_WAITS_FOR = ("network", "voice")
PLAN_WAITS_FOR = ("network", "voice", "plan")


@dataclass(frozen=True, slots=True)
class LineChange:
    """A change of a line under way; it locks until `held_until`, at most so long where `is_at_most`."""

    kind: str
    started_at: datetime
    held_until: datetime
    wanted: Mapping[str, str] | None = None
    has_failed: bool = False
    is_at_most: bool = False

    def locks_at(self, moment: datetime) -> bool:
        """Say whether it still locks the line."""
        return not self.has_failed and self.held_until > moment


def shows(line: SimLine, wanted: Mapping[str, str], *, iccid_hash: str) -> bool:
    """Say whether a line shows what a change asked for; `iccid_hash` stands for the line's present ICCID."""
    return all(_shows(line, name, value, iccid_hash) for name, value in wanted.items())


def outcome_of(change: LineChange, line: SimLine, *, at: datetime, iccid_hash: str, grace: timedelta) -> ChangeOutcome:
    """Say what became of a change by a line that was just read, `grace` after its longest time at the earliest."""
    if change.wanted is not None and shows(line, change.wanted, iccid_hash=iccid_hash):
        return "done"
    is_over = change.wanted is not None and at >= change.held_until + grace
    return "failed" if is_over else "pending"


def _shows(line: SimLine, name: str, value: str, iccid_hash: str) -> bool:
    if name == "network":
        return line.network == value
    if name == "plan":
        return line.plan_code == value
    if name == "next_plan":
        # On its day the next plan becomes the plan.
        return value in (line.next_plan_code, line.plan_code)
    if name == "next_plan_on":
        return line.next_plan_on is None or line.next_plan_on.isoformat() == value
    if name == "iccid_other_than":
        return bool(line.iccid) and iccid_hash != value
    return any(option == name and is_on is (value == "on") for option, is_on in line.voice.items())
