"""An order that has not been placed yet."""

from dataclasses import dataclass, field
from uuid import UUID

from portal_app.domain.catalog.plan import Plan
from portal_app.domain.checkout.steps import Answers, Step, steps_of


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as pages show it. `open_step` is the first step without a valid answer, None if it can be ordered."""

    id: UUID
    plan: Plan
    answers: Answers = field(repr=False)
    open_step: Step | None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of this plan, in their order."""
        return steps_of(self.plan)
