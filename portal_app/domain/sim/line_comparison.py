"""The nightly comparison of a service with its line: what does not fit, in agents' words."""

from dataclasses import dataclass
from typing import Literal

from portal_app.domain.sim.sim import SimLine
from portal_app.domain.sim.sim_plan import SimPlan

Finding = Literal["line_gone", "line_lives", "other_plan"]
FINDINGS: dict[Finding, str] = {
    "line_gone": "The line has ended at the carrier, or the carrier does not know it, and the service is billed on. "
    "The number may have been moved to another carrier: then cancel the service.",
    "line_lives": "The service is over and its line runs on at the carrier. End it there.",
    "other_plan": "The carrier has another plan for the line than the product that is billed.",
}


@dataclass(frozen=True, slots=True)
class ComparedService:
    """What the comparison needs of a service: whether it is live or over (neither while unknown), and its plan."""

    is_live: bool
    is_over: bool
    plan: SimPlan | None


def finding_of(service: ComparedService, line: SimLine | None) -> Finding | None:
    """Return what does not fit, None where all is well or an unknown state allows no judgement."""
    if line is not None and line.state == "unknown":
        return None
    is_living = line is not None and line.exists
    if service.is_live and not is_living:
        return "line_gone"
    if line is None or not is_living:
        return None
    if service.is_over:
        return None if line.ends_on else "line_lives"
    is_told = service.is_live and service.plan is not None and bool(service.plan.code)
    if is_told and service.plan and service.plan.code not in (line.plan_code, line.next_plan_code):
        return "other_plan"
    return None
