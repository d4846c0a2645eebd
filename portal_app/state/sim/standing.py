"""The status of a SIM line, in a customer's words."""

from portal_app.domain.sim.sim import SimState
from portal_app.language import _
from portal_app.state.shell.standing import StatusLabel

_LINES: dict[SimState, tuple[str, str]] = {
    "waiting": ("Being opened", "waiting"),
    "active": ("Active", "ok"),
    "suspended": ("Suspended", "attention"),
    "temporary": ("Temporary", "waiting"),
    "obsolete": ("Ended", "neutral"),
    "unknown": ("Not known at the moment", "neutral"),
}


def line_standing(state: SimState) -> StatusLabel:
    """Return the status of a SIM line at the carrier."""
    word, tone = _LINES[state]
    return StatusLabel(_(word), tone)
