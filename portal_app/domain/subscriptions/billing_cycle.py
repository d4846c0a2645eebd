"""How often WHMCS bills a service, in one spelling."""

from enum import StrEnum
from typing import Self


class BillingCycle(StrEnum):
    """A billing cycle of WHMCS.

    `BillingCycle(text)` reads every spelling: `One Time`, `One-Time`, `onetime`; `Semi-Annually`, `semiannually`;
    `Free Account`, `free`. Any other word is UNKNOWN: nothing is concluded from it but that the service is billed.
    """

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMI_ANNUALLY = "semiannually"
    ANNUALLY = "annually"
    BIENNIALLY = "biennially"
    TRIENNIALLY = "triennially"
    ONE_TIME = "onetime"
    FREE = "freeaccount"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> Self:
        word = "".join(letter for letter in str(value).casefold() if letter.isalpha())
        word = {"free": "freeaccount", "semesterly": "semiannually"}.get(word, word)
        return next((cycle for cycle in cls if cycle.value == word), cls("unknown"))

    @property
    def is_recurring(self) -> bool:
        """Whether it is billed again and again; so is an unknown cycle, or its end could not be asked for."""
        return self not in (BillingCycle.ONE_TIME, BillingCycle.FREE)


RECURRING = tuple(cycle for cycle in BillingCycle if cycle.is_recurring and cycle is not BillingCycle.UNKNOWN)
