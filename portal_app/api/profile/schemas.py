"""How the API shows the account, its profile and its identity check."""

from dataclasses import asdict
from datetime import datetime
from typing import cast

from typing_extensions import TypedDict

from portal_app.domain.identity.account import AccountView
from portal_app.domain.profile.kyc_document import IdentityCheck
from portal_app.domain.profile.profile import ProfileView


class BillingAddressView(TypedDict):
    """An address as bills carry it, romanised."""

    line1: str
    line2: str
    city: str
    prefecture: str
    postcode: str


class AddressView(TypedDict):
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


class ProfileShape(TypedDict):
    """A customer's data, with what is on its way to our systems. `saved_at` is set while billing does not answer.

    `address` is null where only the romanised one is known.
    """

    first_name: str
    last_name: str
    first_name_kana: str
    last_name_kana: str
    phone: str
    marketing: bool
    billing_address: BillingAddressView
    address: AddressView | None
    is_on_its_way: bool
    note: str
    saved_at: datetime | None


class Me(TypedDict):
    """The account that is signed in. `customer_number` and `profile` are null until it is set up everywhere."""

    name: str
    email: str
    customer_number: str | None
    status: str
    language: str
    profile: ProfileShape | None


class IdentityCheckView(TypedDict):
    """How the check of an identity stands: not_submitted, submitted, verified or rejected, with the agent's reason."""

    status: str
    note: str
    submitted_at: datetime | None
    is_on_its_way: bool


def me(account: AccountView, view: ProfileView | None) -> Me:
    """Show the account."""
    return {
        "name": account.name,
        "email": account.email,
        "customer_number": account.customer.customer_number if account.customer else None,
        "status": account.status,
        "language": account.language,
        "profile": profile(view) if view else None,
    }


def identity_check(check: IdentityCheck) -> IdentityCheckView:
    """Show how an identity check stands."""
    return {
        "status": check.status,
        "note": check.note,
        "submitted_at": check.submitted_at,
        "is_on_its_way": check.is_pending,
    }


def profile(view: ProfileView) -> ProfileShape:
    """Show a customer's data."""
    person = view.person
    bill = person.billing_address
    address = person.address
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "first_name_kana": person.first_name_kana,
        "last_name_kana": person.last_name_kana,
        "phone": person.phone,
        "marketing": person.marketing,
        "billing_address": {
            "line1": bill.line1,
            "line2": bill.line2,
            "city": bill.city,
            "prefecture": bill.state,
            "postcode": bill.postcode,
        },
        "address": cast(AddressView, asdict(address)) if address else None,
        "is_on_its_way": view.is_pending,
        "note": view.note,
        "saved_at": view.as_of,
    }
