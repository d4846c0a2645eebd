"""How the API shows an address check."""

from dataclasses import dataclass
from datetime import datetime

from portal_app.api.http.resource import Resource
from portal_app.api.profile.schemas import AddressView


@dataclass
class EligibilityView(Resource):
    """What fibre the customer's address can have. `status` is null while it is unknown, which is not "no".

    not_requested, pending, eligible, ineligible. Confirm an order with `address_id`, which names the address as it is.
    `as_of` is set for saved data that could not be refreshed.
    """

    status: str | None
    offers: list[str]
    note: str
    requested_at: datetime | None
    checked_at: datetime | None
    address: AddressView | None
    address_id: str
    as_of: datetime | None
