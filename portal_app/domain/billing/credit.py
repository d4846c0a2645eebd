"""A customer's credit."""

from dataclasses import dataclass

from portal_app.domain.billing.invoice import CreditEntry
from portal_app.domain.money import Money


@dataclass(frozen=True, slots=True)
class Credit:
    """What is left of a customer's credit, and what changed it, newest first."""

    balance: Money
    entries: list[CreditEntry]
