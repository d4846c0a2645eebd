"""A part of the portal as customers know it, and whether it works."""

from dataclasses import dataclass
from typing import Literal

PartName = Literal["account", "billing", "orders", "sim"]
# unsure: it did not answer when last asked, and is asked again at the next use.
PartState = Literal["works", "unsure", "away"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part."""

    name: PartName
    state: PartState
