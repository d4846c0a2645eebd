"""Fibre eligibility of an address: the portal requests a check at Salesforce, and an agent answers it."""

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
    """The check of an account in Salesforce. `changed_at` is the time of the account's last change there.

    `offers` are the offer types available at the address ("Home 1G"), `note` is the agent's text for the customer.
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
    """A customer's request for a check; `id` is its reference in all systems."""

    id: UUID
    address: Address = field(repr=False)
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The eligibility as a customer sees it. `status` None means unknown, which differs from "ineligible".

    `as_of` is the time of the data if Salesforce could not be read. `address` is None if only the romanised address is
    known.
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
        """The id of the current address, empty if there is none. See `address_id`."""
        return address_id(self.address) if self.address else ""

    def is_available(self, plan: Plan) -> bool:
        """Return whether a plan is available at the address."""
        return self.status == "eligible" and plan.is_offered_with(self.offers)


def address_id(address: Address) -> str:
    """Return a short hash of an address, by which a changed address is recognised."""
    return hashlib.sha256(json.dumps(asdict(address), sort_keys=True).encode()).hexdigest()[:16]
