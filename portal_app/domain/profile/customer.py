"""A customer: the ids at all vendors, the profile given at sign-up, and parsers for personal data."""

import json
import re
import unicodedata
from dataclasses import dataclass
from uuid import UUID

import phonenumbers

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.japanese_text import compose

# ASCII atoms only, so that nobody can register a look-alike of an address and no mail header can parse it as a group,
# a comment or a list. Consecutive dots are allowed, because Japanese carriers issued such addresses.
_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]",
    re.ASCII | re.IGNORECASE,
)
_KANA = re.compile(r"[ァ-ヶーヽヾ・　 ]+")
# A hyphen behind a kana is the long-vowel mark of another keyboard layout.
_LONG_MARK = re.compile(r"(?<=[ァ-ヶーヽヾ])[-‐‑–—―−]")


@dataclass(frozen=True, slots=True)
class Customer:
    """A user's ids in all systems of record."""

    user_id: UUID
    whmcs_client_id: int
    sf_account_id: str
    sf_contact_id: str
    customer_number: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The personal data given at sign-up."""

    email: str
    first_name: str
    last_name: str
    phone: str
    address: Address
    first_name_kana: str = ""
    last_name_kana: str = ""

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"

    @classmethod
    def parse(cls, email: str, form: dict[str, str]) -> "Profile":
        """Parse a sign-up form. Raises InvalidInput with every invalid field, including those of the address."""
        wrong: dict[str, str] = {}
        values: dict[str, str] = {}
        for name, reader in PERSON_READERS.items():
            try:
                values[name] = reader(form.get(name, ""))
            except ValueError as error:
                wrong[name] = str(error)
        address = None
        try:
            address = Address.parse(form)
        except InvalidInput as error:
            wrong |= error.fields
        if wrong or address is None:
            raise InvalidInput(wrong)
        return cls(email=parse_email(email), address=address, **values)

    def to_json(self) -> str:
        """Return the profile as JSON, for the encrypted column users.profile."""
        address = {name: getattr(self.address, name) for name in self.address.__dataclass_fields__}
        person = {
            name: getattr(self, name)
            for name in ("email", "first_name", "last_name", "phone", "first_name_kana", "last_name_kana")
        }
        return json.dumps({**person, **address})

    @classmethod
    def from_json(cls, text: str) -> "Profile":
        """Return the profile that `to_json` wrote."""
        entries = json.loads(text)
        address = {name: entries.pop(name) for name in Address.__dataclass_fields__ if name in entries}
        # Not parsed again: what was accepted once is carried out, also where the rules have changed meanwhile.
        return cls(**entries, address=Address(**address))


def parse_email(text: str) -> str:
    """Return a trimmed e-mail address with its domain in lower case and in half-width letters. Raises InvalidInput."""
    email = unicodedata.normalize("NFKC", text).strip()
    # Salesforce stores 80 characters of an e-mail address.
    if len(email) > 80 or not _EMAIL.fullmatch(email):
        raise InvalidInput({"email": "Enter an e-mail address, such as name@example.jp."})
    local, _, host = email.rpartition("@")
    return f"{local}@{host.lower()}"


def parse_phone(text: str) -> str:
    """Return a Japanese phone number as digits with a leading 0. Raises ValueError with a message for the customer."""
    message = "Enter a Japanese phone number, such as 090-1234-5678."
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), "JP")
    except phonenumbers.NumberParseException as error:
        raise ValueError(message) from error
    if number.country_code != 81 or not phonenumbers.is_valid_number(number):
        raise ValueError(message)
    return f"0{number.national_number}"


def parse_kana(text: str) -> str:
    """Return a reading in full-width katakana; half-width and hiragana are converted. Raises ValueError."""
    katakana = "".join(
        chr(ord(letter) + 0x60) if "ぁ" <= letter <= "ゖ" or letter in "ゝゞ" else letter
        for letter in unicodedata.normalize("NFKC", text).strip()
    )
    kana = _LONG_MARK.sub("ー", katakana)
    if kana and not _KANA.fullmatch(kana):
        raise ValueError("Use katakana here, such as タナカ.")
    if len(kana) > 40:
        raise ValueError("Use at most 40 characters.")
    return kana


def _name(limit: int, message: str, text: str) -> str:
    name = " ".join(compose(text).replace("\x00", "").split())
    if not name:
        raise ValueError(message)
    if len(name) > limit:
        raise ValueError(f"Use at most {limit} characters.")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") or letter in "<>" for letter in name):
        raise ValueError("Use letters only.")
    return name


# A parser for each personal field; each raises ValueError with a message for the customer.
PERSON_READERS = {
    "first_name": lambda text: _name(40, "Enter your first name.", text),
    "last_name": lambda text: _name(80, "Enter your last name.", text),
    "phone": parse_phone,
    "first_name_kana": parse_kana,
    "last_name_kana": parse_kana,
}
