"""How the API shows the account, its profile and its identity check."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from portal_app.api.http.resource import From, Resource
from portal_app.domain.identity.account import AccountView
from portal_app.domain.profile.profile import ProfileView


@dataclass
class BillingAddressView(Resource):
    """An address as bills carry it, romanised."""

    line1: str
    line2: str
    city: str
    prefecture: Annotated[str, From("state")]
    postcode: str


@dataclass
class AddressView(Resource):
    """An address in Japanese script, with the Latin letters that it was given."""

    postcode: str
    prefecture: str
    city: str
    town: str
    street: str
    building: str
    city_romanised: str
    town_romanised: str
    building_romanised: str
    street_romanised: str


@dataclass
class ProfileShape(Resource):
    """A customer's data, with what is on its way to our systems. `saved_at` is set while billing does not answer.

    `address` is null where only the romanised one is known.
    """

    first_name: Annotated[str, From("person.first_name")]
    last_name: Annotated[str, From("person.last_name")]
    first_name_kana: Annotated[str, From("person.first_name_kana")]
    last_name_kana: Annotated[str, From("person.last_name_kana")]
    phone: Annotated[str, From("person.phone")]
    marketing: Annotated[bool, From("person.marketing")]
    billing_address: Annotated[BillingAddressView, From("person.billing_address")]
    address: Annotated[AddressView | None, From("person.address")]
    is_on_its_way: Annotated[bool, From("is_pending")]
    note: str
    saved_at: Annotated[datetime | None, From("as_of")]


@dataclass
class Me(Resource):
    """The account that is signed in. `customer_number` and `profile` are null until it is set up everywhere."""

    name: str
    email: str
    customer_number: str | None
    status: str
    language: str
    profile: ProfileShape | None


@dataclass
class PendingEmail(Resource):
    """The new e-mail address that waits for its code."""

    waiting_for: str


@dataclass
class IdentityCheckView(Resource):
    """How the check of an identity stands: not_submitted, submitted, verified or rejected, with the agent's reason."""

    status: str
    note: str
    submitted_at: datetime | None
    is_on_its_way: Annotated[bool, From("is_pending")]


def me(account: AccountView, profile: ProfileView | None) -> Me:
    """Return the account with the customer's data."""
    number = account.customer.customer_number if account.customer else None
    return Me.from_domain(account, customer_number=number, profile=ProfileShape.from_optional(profile))
