"""What a customer asks to order, what it comes to, and what was agreed to."""

from dataclasses import dataclass, field
from uuid import UUID

from portal_app.domain.catalog.plan import CatalogItem, Plan, monthly_of, one_time_of
from portal_app.domain.checkout.options import Options
from portal_app.domain.checkout.steps import Answers
from portal_app.domain.money import Money
from portal_app.domain.profile.address import Address

# What is paid each month, and once, without tax.
Totals = tuple[Money, Money]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a customer agreed to: the terms, and the totals on the page, None where no page showed any."""

    to_terms: bool
    totals: Totals | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a customer asks to order. `draft_id` is the draft it comes from, None for a program's order."""

    sku: str
    answers: Answers = field(default_factory=dict, repr=False)
    has_accepted_terms: bool = False
    draft_id: UUID | None = None
    totals: Totals | None = None


@dataclass(frozen=True, slots=True)
class Basket:
    """What will be ordered, at today's prices."""

    plan: Plan
    items: tuple[CatalogItem, ...]
    options: Options | None
    address: Address | None = field(default=None, repr=False)

    @property
    def monthly(self) -> Money:
        """What is billed each month, without tax."""
        return monthly_of(self.items)

    @property
    def one_time(self) -> Money:
        """What is billed once, without tax."""
        return one_time_of(self.items)

    @property
    def totals(self) -> Totals:
        """What is billed each month, and once: what a customer agrees to."""
        return self.monthly, self.one_time
