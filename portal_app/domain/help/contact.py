"""A question of somebody without an account."""

import json
from dataclasses import asdict, dataclass

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.customer import parse_email
from portal_app.domain.support.case import CaseCategory, NewCase
from portal_app.language import Language

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class ContactRequest:
    """Who asks what. The address counts only once a code that was mailed there came back."""

    name: str
    email: str
    category: CaseCategory
    subject: str
    text: str

    @classmethod
    def parse(cls, form: dict[str, str]) -> "ContactRequest":
        """Parse the form. Raises InvalidInput with every invalid field."""
        wrong: dict[str, str] = {}
        name = " ".join("".join(letter for letter in form.get("name", "") if letter.isprintable()).split())
        if not name:
            wrong["name"] = "Enter your name."
        elif len(name) > _LONGEST_NAME:
            wrong["name"] = "This is too long."
        email, case = "", None
        try:
            email = parse_email(form.get("email", ""))
        except InvalidInput as error:
            wrong |= error.fields
        try:
            case = NewCase.parse(**{field: form.get(field, "") for field in ("category", "subject", "text")})
        except InvalidInput as error:
            wrong |= error.fields
        if wrong or case is None:
            raise InvalidInput(wrong)
        return cls(name, email, case.category, case.subject, case.text)

    def to_json(self) -> str:
        """Return the request as JSON, for the encrypted column of its sign-up."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ContactRequest":
        """Return the request that `to_json` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Stranger:
    """Who a question comes from and in which language the answer should be."""

    name: str
    email: str
    language: Language
