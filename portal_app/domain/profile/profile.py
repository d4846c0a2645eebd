"""A customer's personal data and changes to them. WHMCS is the authority."""

import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.customer import PERSON_READERS, Profile
from portal_app.language import LANGUAGES

AWAY = "One of our systems is not answering at the moment. Your change is saved; we finish it by ourselves."
ON_ITS_WAY = "Your change is on its way."
REFUSED = "Our billing system did not accept your last change, so nothing was changed. Check it and try again."


@dataclass(frozen=True, slots=True)
class BillingAddress:
    """An address as WHMCS stores it: romanised, in two lines."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""

    @classmethod
    def of(cls, address: Address) -> "BillingAddress":
        """Return the WHMCS form of an address."""
        line1, line2 = address.romanised_lines()
        return cls(line1, line2, address.city_romanised, address.prefecture_romanised, address.postcode)


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A customer's personal data. `address` is None if only the romanised lines of WHMCS are known."""

    first_name: str
    last_name: str
    phone: str
    email: str
    marketing: bool
    billing_address: BillingAddress
    first_name_kana: str = ""
    last_name_kana: str = ""
    address: Address | None = None

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @classmethod
    def of(cls, profile: Profile) -> "PersonalData":
        """Return the personal data of a sign-up."""
        names = ("first_name", "last_name", "phone", "email", "first_name_kana", "last_name_kana", "address")
        given = {name: getattr(profile, name) for name in names}
        return cls(**given, marketing=False, billing_address=BillingAddress.of(profile.address))

    def changed_by(self, change: "ProfileChange") -> "PersonalData":
        """Return the data after a change."""
        plain = {name: value for name, value in asdict(change).items() if value is not None and name in _PERSON_FIELDS}
        changed = replace(self, **plain)
        if change.address is None:
            return changed
        return replace(changed, address=change.address, billing_address=BillingAddress.of(change.address))

    def completed_from(self, saved: "PersonalData | None") -> "PersonalData":
        """Return data of WHMCS with the readings and Japanese address that only the portal stores.

        The Japanese address is dropped if the billing address of WHMCS is no longer the same.
        """
        if saved is None:
            return self
        is_same_place = saved.address is not None and BillingAddress.of(saved.address) == self.billing_address
        return replace(
            self,
            first_name_kana=saved.first_name_kana,
            last_name_kana=saved.last_name_kana,
            address=saved.address if is_same_place else None,
        )

    def to_json(self) -> str:
        """Return the data as JSON, for an encrypted column."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "PersonalData":
        """Return the data that `to_json` wrote."""
        read = json.loads(text)
        address = Address(**read.pop("address")) if read.get("address") else None
        billing = BillingAddress(**read.pop("billing_address"))
        return cls(**{**read, "address": address, "billing_address": billing})


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """A change of personal data; fields that are None stay unchanged."""

    first_name: str | None = None
    last_name: str | None = None
    first_name_kana: str | None = None
    last_name_kana: str | None = None
    phone: str | None = None
    email: str | None = None
    marketing: bool | None = None
    language: str | None = None
    address: Address | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no field changes."""
        return all(getattr(self, field.name) is None for field in fields(self))

    def merged_with(self, later: "ProfileChange") -> "ProfileChange":
        """Return this change combined with a later one, whose fields win."""
        return replace(self, **{f.name: value for f in fields(later) if (value := getattr(later, f.name)) is not None})

    def field_names(self) -> dict[str, str]:
        """Return the names of the changed fields, for the audit, which must not hold the values."""
        return {"fields": " ".join(f.name for f in fields(self) if getattr(self, f.name) is not None)}

    def without(self, done: "ProfileChange") -> "ProfileChange":
        """Return the fields of this change that another change has not applied with the same value."""
        same = [f.name for f in fields(self) if getattr(self, f.name) == getattr(done, f.name)]
        return replace(self, **dict.fromkeys(same))

    def without_unchanged(self, person: PersonalData) -> "ProfileChange":
        """Return the change without the fields that equal the current data; a changed name contains both parts."""
        same = {
            field.name: None
            for field in fields(self)
            if field.name != "language" and getattr(self, field.name) == getattr(person, field.name)
        }
        left = replace(self, **same)
        if left.first_name is None and left.last_name is None:
            return left
        return replace(
            left, first_name=self.first_name or person.first_name, last_name=self.last_name or person.last_name
        )

    def to_json(self) -> str:
        """Return the change as JSON, for an encrypted column."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    @classmethod
    def from_json(cls, text: str | None) -> "ProfileChange":
        """Return the change that `to_json` wrote; None or an empty text is the empty change."""
        read = json.loads(text or "{}")
        address = Address(**read.pop("address")) if "address" in read else None
        return cls(**read, address=address)

    @classmethod
    def parse(cls, form: dict[str, str]) -> "ProfileChange":
        """Parse the personal fields of a form. Raises InvalidInput with every invalid field."""
        wrong: dict[str, str] = {}
        values: dict[str, Any] = {}
        for name, reader in PERSON_READERS.items():
            if name in form:
                try:
                    values[name] = reader(form[name])
                except ValueError as error:
                    wrong[name] = str(error)
        if "language" in form and form["language"] not in LANGUAGES:
            wrong["language"] = "Choose a language."
        if wrong:
            raise InvalidInput(wrong)
        return cls(**values, language=form.get("language"))


_PERSON_FIELDS = frozenset(field.name for field in fields(PersonalData)) - {"address", "billing_address"}


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A customer's data including changes that are not yet applied everywhere (`is_pending`).

    `as_of` is the time of the data if WHMCS could not be read. `note` is AWAY, ON_ITS_WAY, REFUSED or empty.
    """

    person: PersonalData
    language: str
    is_pending: bool
    note: str
    as_of: datetime | None = None
