"""The address check: what fibre a building can have. An agent finds out; the portal asks and keeps the answer."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from portal_app.domain.catalog.plan import Plan
from portal_app.domain.profile.address import Address

CheckStatus = Literal["not_requested", "pending", "eligible", "ineligible"]
ANSWERS: frozenset[CheckStatus] = frozenset({"eligible", "ineligible"})


@dataclass(frozen=True, slots=True)
class AddressCheck:
    """Where the check of an account stands in Salesforce. `changed_at` is when the account last changed there.

    `offers` are the offer types an agent found ("Home 1G"), `note` what they add for the customer.
    """

    account_id: str
    status: CheckStatus
    changed_at: datetime
    offers: tuple[str, ...] = ()
    note: str = field(default="", repr=False)
    requested_at: datetime | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """A customer's wish to have their address checked; `id` is our reference of it everywhere."""

    id: UUID
    address: Address = field(repr=False)
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What a customer may know about fibre at their address. `status` None is unknown, never the same as "no".

    `as_of` is set for saved data that could not be read anew. `address` is None where only the romanised one is known.
    """

    status: CheckStatus | None
    offers: tuple[str, ...] = ()
    note: str = field(default="", repr=False)
    requested_at: datetime | None = None
    checked_at: datetime | None = None
    address: Address | None = field(default=None, repr=False)
    as_of: datetime | None = None

    @property
    def address_id(self) -> str:
        """A short name of the address as it is now, empty without one: another address has another name."""
        return address_id(self.address) if self.address else ""

    def is_available(self, plan: Plan) -> bool:
        """Say whether a plan can be had at the address."""
        return self.status == "eligible" and plan.is_offered_with(self.offers)


def address_id(address: Address) -> str:
    """Return a short name that only this address has."""
    return hashlib.sha256(json.dumps(asdict(address), sort_keys=True).encode()).hexdigest()[:16]
