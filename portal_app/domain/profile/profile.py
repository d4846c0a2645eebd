"""What a customer keeps about themselves, and what they change of it. WHMCS is the authority for both."""

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
    """An address as WHMCS keeps it: two lines, romanised."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""

    @classmethod
    def of(cls, address: Address) -> "BillingAddress":
        """Return what WHMCS is given for an address."""
        line1, line2 = address.romanised_lines()
        return cls(line1, line2, address.city_romanised, address.prefecture_romanised, address.postcode)


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A customer's data. `address` is None where only WHMCS's romanised lines are known."""

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
        """The name in the order of WHMCS's fields."""
        return f"{self.first_name} {self.last_name}".strip()

    @classmethod
    def of(cls, profile: Profile) -> "PersonalData":
        """Return the person of a sign-up."""
        names = ("first_name", "last_name", "phone", "email", "first_name_kana", "last_name_kana", "address")
        given = {name: getattr(profile, name) for name in names}
        return cls(**given, marketing=False, billing_address=BillingAddress.of(profile.address))

    def changed_by(self, change: "ProfileChange") -> "PersonalData":
        """Return the person as a change leaves it."""
        plain = {name: value for name, value in asdict(change).items() if value is not None and name in _PERSON_FIELDS}
        changed = replace(self, **plain)
        if change.address is None:
            return changed
        return replace(changed, address=change.address, billing_address=BillingAddress.of(change.address))

    def confirmed_by(self, kept: "PersonalData | None") -> "PersonalData":
        """Return WHMCS's word with what only we know; a Japanese address only while it is still the same place."""
        if kept is None:
            return self
        same_place = kept.address is not None and BillingAddress.of(kept.address) == self.billing_address
        return replace(
            self,
            first_name_kana=kept.first_name_kana,
            last_name_kana=kept.last_name_kana,
            address=kept.address if same_place else None,
        )

    def to_json(self) -> str:
        """Return the person as the portal's own table keeps it, sealed."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "PersonalData":
        """Read what `to_json` wrote."""
        read = json.loads(text)
        address = Address(**read.pop("address")) if read.get("address") else None
        billing = BillingAddress(**read.pop("billing_address"))
        return cls(**{**read, "address": address, "billing_address": billing})


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What is to change; None is left as it is."""

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
        """Say whether nothing changes."""
        return all(getattr(self, field.name) is None for field in fields(self))

    def merged_with(self, later: "ProfileChange") -> "ProfileChange":
        """Return this change followed by a later one."""
        return replace(self, **{f.name: value for f in fields(later) if (value := getattr(later, f.name)) is not None})

    def field_names(self) -> dict[str, str]:
        """Return which fields change, without their values: for the audit."""
        return {"fields": " ".join(f.name for f in fields(self) if getattr(self, f.name) is not None)}

    def without(self, done: "ProfileChange") -> "ProfileChange":
        """Return what is left when another change is done."""
        same = [f.name for f in fields(self) if getattr(self, f.name) == getattr(done, f.name)]
        return replace(self, **dict.fromkeys(same))

    def reduced_to_news(self, person: PersonalData) -> "ProfileChange":
        """Leave out what is so already; a name is changed as a whole."""
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
        """Return the change as the portal's own table keeps it, sealed."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    @classmethod
    def from_json(cls, text: str | None) -> "ProfileChange":
        """Read what `to_json` wrote; nothing is the empty change."""
        read = json.loads(text or "{}")
        address = Address(**read.pop("address")) if "address" in read else None
        return cls(**read, address=address)

    @classmethod
    def parse(cls, form: dict[str, str]) -> "ProfileChange":
        """Read the personal fields that a form holds. Raises InvalidInput naming every wrong one."""
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
    """A customer's data as pages show it: with what is on its way, and where that stands.

    `as_of` is the time of saved data while WHMCS is away; `note` is one of AWAY, ON_ITS_WAY, REFUSED, or empty.
    """

    person: PersonalData
    language: str
    is_pending: bool
    note: str
    as_of: datetime | None = None
