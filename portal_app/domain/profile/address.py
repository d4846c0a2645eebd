"""A complete Japanese address in both scripts: Japanese for Salesforce, romanised for WHMCS."""

import re
import unicodedata
from dataclasses import dataclass

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.japanese_text import compose, fold_width
from portal_app.domain.profile.prefecture import ROMANISED
from portal_app.domain.profile.street import DASHES, romanised_street
from portal_app.language.phrase import Phrase

_NUMBERS = re.compile(r"[A-Za-z]?\d+(?:-\d+)*", re.ASCII)
_POSTCODE = re.compile(r"〒?(\d{3})-?(\d{4})", re.ASCII)


def parse_postcode(text: str) -> str:
    """Return a postcode as 123-4567, accepting full-width digits and any dash. Raises ValueError."""
    plain = DASHES.sub("-", unicodedata.normalize("NFKC", text)).strip().replace(" ", "")
    match = _POSTCODE.fullmatch(plain)
    if not match:
        raise ValueError("not a postcode")
    return f"{match[1]}-{match[2]}"


def room_number(building: str) -> str:
    """Return the last number of a building and its room, in half-width digits, or an empty text.

    It is what can be offered for the bill where the name of the building is not in Latin letters.
    """
    numbers = _NUMBERS.findall(DASHES.sub("-", fold_width(building)))
    return numbers[-1] if numbers else ""


@dataclass(frozen=True, slots=True)
class PostcodeTown:
    """One town of a postcode, in both scripts. `town` is empty if the postcode covers a whole city."""

    prefecture: str
    city: str
    town: str
    city_romanised: str
    town_romanised: str


@dataclass(frozen=True, slots=True)
class Address:
    """A customer's address: Japanese script as typed or looked up, and the romanised parts for WHMCS.

    `street` is chome-banchi-go, `building` the building and room (may be empty).
    """

    postcode: str
    prefecture: str
    city: str
    town: str
    street: str
    building: str
    city_romanised: str
    town_romanised: str
    building_romanised: str = ""
    street_romanised: str = ""

    @property
    def prefecture_romanised(self) -> str:
        """The prefecture in Latin letters."""
        return ROMANISED[self.prefecture]

    def japanese_street(self) -> str:
        """Return the street line in Japanese script, as Salesforce stores it."""
        return " ".join(part for part in (self.town + self.street, self.building) if part)

    def romanised_lines(self) -> tuple[str, str]:
        """The two address lines WHMCS keeps, in Latin letters."""
        return f"{self.street_romanised or romanised_street(self.street)} {self.town_romanised}".strip(), (
            self.building_romanised or _latin_or_nothing(self.building)
        )

    @classmethod
    def parse(cls, form: dict[str, str]) -> "Address":
        """Parse a form. Raises InvalidInput with each field that is missing or malformed."""
        values = {name: _clean(name, form.get(name, "")) for name in _FIELDS}
        wrong = {name: message for name, message in _REQUIRED.items() if not values[name]}
        try:
            values["postcode"] = parse_postcode(values["postcode"])
        except ValueError:
            wrong["postcode"] = "Enter the seven digits of your postcode, such as 106-0044."
        if values["prefecture"] not in ROMANISED:
            wrong["prefecture"] = "Choose your prefecture."
        wrong |= _not_latin(values) | _not_for_bills(values) | _too_long(values) | _invisible(values)
        if wrong:
            raise InvalidInput(wrong)
        return cls(**values)


_FIELDS = (
    "postcode",
    "prefecture",
    "city",
    "town",
    "street",
    "building",
    "city_romanised",
    "town_romanised",
    "building_romanised",
    "street_romanised",
)
_REQUIRED = {
    "city": "Enter your city or ward.",
    "town": "Enter your town.",
    "street": "Enter the block and house number, such as 1-5.",
    "city_romanised": "Enter your city or ward in Latin letters.",
    "town_romanised": "Enter your town in Latin letters.",
}


def _clean(name: str, text: str) -> str:
    # Latin typed with a Japanese keyboard is full-width; Japanese script itself stays as it was typed.
    plain = fold_width(text) if name.endswith("_romanised") else compose(text)
    return " ".join(plain.replace("\x00", "").split())


def _not_latin(values: dict[str, str]) -> dict[str, str]:
    latin = [name for name in values if name.endswith("_romanised")]
    return {name: "Use Latin letters here." for name in latin if not _is_latin(values[name])}


def _not_for_bills(values: dict[str, str]) -> dict[str, str]:
    """Name what the bill would lack: it is written in Latin letters, and only numbers can be carried over."""
    wrong = {}
    if not values["street_romanised"] and not _is_latin(romanised_street(values["street"])):
        wrong["street_romanised"] = "Enter the block and house number in Latin letters, without the building."
    if values["building"] and not values["building_romanised"] and not _latin_or_nothing(values["building"]):
        wrong["building_romanised"] = "Enter the building and room in Latin letters, such as Hikari Bldg. 101."
    return wrong


def _latin_or_nothing(text: str) -> str:
    plain = fold_width(text)
    return plain if _is_latin(plain) else ""


def _is_latin(text: str) -> bool:
    return all(unicodedata.name(letter, "").startswith("LATIN") for letter in text if letter.isalpha())


def _too_long(values: dict[str, str]) -> dict[str, str]:
    # Salesforce stores 40 characters of a city, and a street line that fits three fields of 80.
    most = {name: 40 if name.startswith("city") else 80 for name in values}
    return {
        name: Phrase("Use at most {most} characters.", most=most[name])
        for name in values
        if len(values[name]) > most[name]
    }


def _invisible(values: dict[str, str]) -> dict[str, str]:
    """Return errors for invisible characters: control and format characters, lone surrogates."""
    bad = [name for name, value in values.items() if any(unicodedata.category(x) in ("Cc", "Cf", "Cs") for x in value)]
    return dict.fromkeys(bad, "Use letters, digits and signs only.")
