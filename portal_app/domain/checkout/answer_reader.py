"""Reading the fields of one answer and gathering what is wrong with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Rules:
    """What answers are measured by: today in Japan, and how many days a reservation must still have.

    For fibre also the name of the customer's address (see `address_id`), and whether the plan can be had there.
    """

    today: date
    reservation_days_left: int = 10
    address_id: str = ""
    is_offered: bool = False


class AnswerReader:
    """Reads fields and gathers what is wrong with them."""

    def __init__(self, form: Mapping[str, str], rules: Rules) -> None:
        self._form = form
        self.rules = rules
        self.wrong: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return a field as it was sent, empty where it was not."""
        return self._form.get(name, "")

    def one_of(self, name: str, *words: str) -> str:
        """Return one of some words."""
        word = self._form.get(name, "")
        if word not in words:
            self.wrong[name] = "Choose one."
        return word

    def is_ticked(self, name: str) -> bool:
        """Say whether a box was ticked."""
        return self.one_of(name, "", "on") == "on"

    def read(self, name: str, reader: Callable[[str], Value]) -> Value | None:
        """Return what a reader makes of a field; None where it refuses it with a ValueError."""
        try:
            return reader(self._form.get(name, ""))
        except ValueError as error:
            self.wrong[name] = str(error)
            return None

    def day(self, name: str, first: date, last: date, words: str) -> date | None:
        """Return a day between two others, both included; `words` say what is asked for."""

        def within(text: str) -> date:
            try:
                day = date.fromisoformat(text)
            except ValueError as error:
                raise ValueError("Choose a date.") from error
            if not first <= day <= last:
                raise ValueError(words)
            return day

        return self.read(name, within)
