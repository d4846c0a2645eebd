"""The steps of an order: their expected sequence, and how long each may take before a case is opened."""

from datetime import timedelta

from portal_app.domain.catalog.plan import Category

CASE_OPENED = "case_opened"
_EXPECTED = ("placed", "in_review", "approved", "billing_created", "service_set_up", "active")
_EXPECTED_SIM = (
    "placed", "in_review", "approved", "sim_reserved", "billing_created", "service_set_up", "line_ordered",
    "line_open", "active",
)  # fmt: skip
# The longest time since the last step, by stage. Steps that wait for the customer or for a date have no target.
_TARGETS = {
    "received": timedelta(minutes=15),
    "in_review": timedelta(hours=48),
    "being_set_up": timedelta(minutes=15),
    "needs_attention": timedelta(hours=24),
    "in_progress": timedelta(hours=48),
}
_CARRIER = timedelta(hours=2)
# Agents approve a fibre order after the line is installed, and technicians are booked weeks ahead.
_INSTALLATION = timedelta(days=28)
_REASONS = {
    "received": "Salesforce has not taken the order",
    "in_review": "no agent has decided about the order",
    "being_set_up": "a step of its set-up does not complete",
    "needs_attention": "it stopped and the cause has not been corrected",
    "in_progress": "its status in Salesforce is unknown to the portal",
}


def expected_steps(category: Category) -> tuple[str, ...]:
    """Return the steps of an order without problems."""
    return _EXPECTED_SIM if category == "sim" else _EXPECTED


def plain_step(step: str) -> str:
    """Return a step's name without the counter of a repeated step."""
    return step.partition("#")[0]


def is_pause(step: str) -> bool:
    """Return whether an order pauses at a step for something of its customer's: a card, a verified identity."""
    return plain_step(step) in ("waiting_for_card", "waiting_for_identity")


def target_of(stage: str, last_step: str, category: Category) -> timedelta | None:
    """Return the longest time an order may stay at its last step; None for no limit."""
    step = plain_step(last_step)
    if is_pause(step) or step == "scheduled":
        return None
    if (stage, category) == ("in_review", "internet"):
        return _INSTALLATION
    return _CARRIER if step in ("line_ordered", "voice_ordered") and stage == "being_set_up" else _TARGETS.get(stage)


def why_stuck(stage: str, last_step: str) -> str:
    """Return the reason why an order is stuck, for agents."""
    return f"{_REASONS.get(stage, stage)} (last step: {plain_step(last_step)})"
