"""Where something stands: a word and a tone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StatusLabel:
    """Where something stands: its word and the tone of its shape and colour."""

    word: str
    tone: str
