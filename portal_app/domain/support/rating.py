"""How a customer found the handling of a case."""

from dataclasses import dataclass

from portal_app.domain.errors import InvalidInput
from portal_app.domain.support.case import clean_text

LONGEST_WORDS = 250


@dataclass(frozen=True, slots=True)
class Rating:
    """A grade from 1 (bad) to 3 (good), with words."""

    grade: int
    words: str = ""

    @classmethod
    def parse(cls, *, grade: str, words: str = "") -> "Rating":
        """Parse a form. Raises InvalidInput with the fields that are wrong."""
        words = clean_text(words)
        if grade not in ("1", "2", "3"):
            raise InvalidInput({"grade": "Choose one of the three."})
        if len(words) > LONGEST_WORDS:
            raise InvalidInput({"words": "Write at most 250 characters."})
        return cls(int(grade), words)
