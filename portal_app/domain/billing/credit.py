"""A customer's credit."""

from dataclasses import dataclass

from portal_app.domain.billing.invoice import CreditEntry
from portal_app.domain.money import Money


@dataclass(frozen=True, slots=True)
class Credit:
    """A customer's credit balance and its history, newest entry first."""

    balance: Money
    entries: list[CreditEntry]
