"""An order request, the validated basket it leads to, and the customer's agreement."""

import json
from dataclasses import dataclass, field
from uuid import UUID

from portal_app.domain.catalog.plan import CatalogItem, Plan, monthly_of, one_time_of
from portal_app.domain.checkout.options import Options
from portal_app.domain.checkout.steps import Answers
from portal_app.domain.money import Money
from portal_app.domain.profile.address import Address

# Monthly and one-time total, without tax.
Totals = tuple[Money, Money]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The customer's agreement: to the terms, and to the totals shown on the page (None for API clients)."""

    to_terms: bool
    totals: Totals | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as requested, before validation. `draft_id` is None for an order of an API client."""

    sku: str
    answers: Answers = field(default_factory=dict, repr=False)
    has_accepted_terms: bool = False
    draft_id: UUID | None = None
    totals: Totals | None = None

    @property
    def fingerprint(self) -> str:
        """The content of the request, for its idempotency key. A draft is named: it can be ordered once only."""
        content = [self.sku, self.answers, self.has_accepted_terms]
        return str(self.draft_id) if self.draft_id else json.dumps(content, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Basket:
    """A validated order at current prices."""

    plan: Plan
    items: tuple[CatalogItem, ...]
    options: Options | None
    address: Address | None = field(default=None, repr=False)

    @property
    def monthly(self) -> Money:
        """The monthly total, without tax."""
        return monthly_of(self.items)

    @property
    def one_time(self) -> Money:
        """The one-time total, without tax."""
        return one_time_of(self.items)

    @property
    def totals(self) -> Totals:
        """Monthly and one-time total: the prices a customer agrees to."""
        return self.monthly, self.one_time
