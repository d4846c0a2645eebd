"""A status as pages show it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StatusLabel:
    """A status: its word, and the tone that decides its shape and colour."""

    word: str
    tone: str
