"""How the API shows an address check."""

from dataclasses import asdict
from datetime import datetime
from typing import cast

from typing_extensions import TypedDict

from portal_app.api.profile.schemas import AddressView
from portal_app.domain.internet.eligibility import Eligibility


class EligibilityView(TypedDict):
    """What fibre the customer's address can have. `status` is null while it is unknown, which is not "no".

    not_requested, pending, eligible, ineligible. Confirm an order with `address_id`, which names the address as it is.
    `as_of` is set for saved data that could not be read anew.
    """

    status: str | None
    offers: list[str]
    note: str
    requested_at: datetime | None
    checked_at: datetime | None
    address: AddressView | None
    address_id: str
    as_of: datetime | None


def eligibility(found: Eligibility) -> EligibilityView:
    """Show where an address check stands."""
    return {
        "status": found.status,
        "offers": list(found.offers),
        "note": found.note,
        "requested_at": found.requested_at,
        "checked_at": found.checked_at,
        "address": cast(AddressView, asdict(found.address)) if found.address else None,
        "address_id": found.address_id,
        "as_of": found.as_of,
    }
