"""Whose line it is: a number in a service's custom fields is believed only where number, plan and owner fit.

The fields are text in another system. Agents write them; no field that a customer can fill in may be named by
WHMCS_SIM_FIELDS.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from portal_app.domain.sim.sim import SimLine, parse_sim_account
from portal_app.domain.sim.sim_plan import SimPlan

_NEW = timedelta(days=3)
LinkRefusal = Literal["no_number", "bad_number", "taken", "no_line", "line_over", "other_plan", "other_sim"]
# In agents' words, for the case.
REASONS: dict[LinkRefusal, str] = {
    "no_number": "The service has no number in its custom field.",
    "bad_number": "What stands in the number's custom field is not the number of a SIM line.",
    "taken": "The number belongs to another service or another customer's order.",
    "no_line": "The carrier knows no line with this number.",
    "line_over": "The line with this number has ended at the carrier.",
    "other_plan": "The line's plan at the carrier is not the plan of the service's product.",
    "other_sim": "The ICCID or EID of the custom fields is not the line's at the carrier.",
}


@dataclass(frozen=True, slots=True)
class LineFields:
    """The custom fields of a service that name its line, as they are written."""

    number: str = field(default="", repr=False)
    iccid: str = field(default="", repr=False)
    eid: str = field(default="", repr=False)

    def parsed_number(self) -> str:
        """Return the number's digits. Raises ValueError."""
        return parse_sim_account(self.number)


def is_new(registered_on: date | None, today: date) -> bool:
    """Say whether agents may still be opening a service's line: a missing number is no fault of theirs yet."""
    return registered_on is not None and registered_on > today - _NEW


def refusal_of(fields: LineFields, line: SimLine | None, plan: SimPlan | None) -> LinkRefusal | None:
    """Return why a line is not the service's, None where it fits. Whether the number is taken is asked before."""
    if line is None:
        return "no_line"
    if not line.exists:
        return "line_over"
    if plan is None or not plan.code or plan.code not in (line.plan_code, line.next_plan_code):
        return "other_plan"
    return "other_sim" if _differs(fields.iccid, line.iccid) or _differs(fields.eid, line.eid) else None


def _differs(written: str, told: str) -> bool:
    digits = "".join(each for each in written if each.isalnum())
    return bool(digits and told) and digits != told
