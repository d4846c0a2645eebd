"""Parses the fields of one checkout answer and collects their errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Rules:
    """The facts that answers are validated against.

    `today` is a date in Japan; an MNP reservation must be valid for at least `reservation_days_left` more days. Fibre
    only: `address_id` is the current address (see `domain.internet.eligibility.address_id`), and `is_offered` says
    whether the plan is available there.
    """

    today: date
    reservation_days_left: int = 10
    address_id: str = ""
    is_offered: bool = False


class AnswerReader:
    """Parses fields of a form; `errors` maps the names of invalid fields to messages for the customer."""

    def __init__(self, form: Mapping[str, str], rules: Rules) -> None:
        self._form = form
        self.rules = rules
        self.errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return a field as it was sent, or an empty text."""
        return self._form.get(name, "")

    def one_of(self, name: str, *choices: str) -> str:
        """Return a field that must be one of `choices`."""
        value = self._form.get(name, "")
        if value not in choices:
            self.errors[name] = "Choose one."
        return value

    def is_ticked(self, name: str) -> bool:
        """Return whether a checkbox is ticked."""
        return self.one_of(name, "", "on") == "on"

    def parse(self, name: str, parser: Callable[[str], Value]) -> Value | None:
        """Return the parsed field, or None if the parser raises ValueError."""
        try:
            return parser(self._form.get(name, ""))
        except ValueError as error:
            self.errors[name] = str(error)
            return None

    def date_between(self, name: str, first: date, last: date, message: str) -> date | None:
        """Return a date from `first` to `last` (inclusive); `message` is the error for other dates."""

        def within(text: str) -> date:
            try:
                day = date.fromisoformat(text)
            except ValueError as error:
                raise ValueError("Choose a date.") from error
            if not first <= day <= last:
                raise ValueError(message)
            return day

        return self.parse(name, within)
