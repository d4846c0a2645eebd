"""Bad days on demand: each vendor can be taken down, slowed, made flaky or made to lose its answers."""

import asyncio
import random
from dataclasses import asdict, dataclass, field
from typing import Literal

from sandbox.store import Store

Vendor = Literal["whmcs", "salesforce", "pubsub", "mail", "freebit"]
VENDORS: tuple[Vendor, ...] = ("whmcs", "salesforce", "pubsub", "mail", "freebit")


@dataclass
class Mood:
    """How a vendor behaves now.

    down: answers 503 with an HTML page. slow: seconds waited before each answer. flaky: share of calls (0..1) that
    fail with 500. lose_answers: how many of the next matching writes are carried out but answered by a cut
    connection. operations: names the faults apply to; empty means all. special: vendor-specific switches by name.
    """

    down: bool = False
    slow: float = 0.0
    flaky: float = 0.0
    lose_answers: int = 0
    operations: list[str] = field(default_factory=list)
    special: dict[str, int] = field(default_factory=dict)


class VendorDown(Exception):
    """The vendor is to answer with a maintenance page (HTML, 503)."""


class VendorFailed(Exception):
    """The vendor is to answer this call with a plain 500."""


class Faults:
    """Hold each vendor's mood in the store; vendors ask before and after every call."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def mood(self, vendor: Vendor) -> Mood:
        """Return the mood a vendor is in."""
        return Mood(**(self._store.get("mood", vendor) or {}))

    def set(self, vendor: Vendor, mood: Mood) -> None:
        """Put a vendor into a mood."""
        self._store.put("mood", vendor, asdict(mood))

    async def before(self, vendor: Vendor, operation: str) -> None:
        """Wait or raise as the mood says. Raises VendorDown or VendorFailed."""
        mood = self.mood(vendor)
        if not self._applies(mood, operation):
            return
        if mood.slow:
            await asyncio.sleep(mood.slow)
        if mood.down:
            raise VendorDown(vendor)
        if mood.flaky and random.random() < mood.flaky:
            raise VendorFailed(vendor)

    def loses_answer(self, vendor: Vendor, operation: str) -> bool:
        """Say whether this write's answer is to be lost, and count it off. Ask after the write was carried out."""
        mood = self.mood(vendor)
        if mood.lose_answers <= 0 or not self._applies(mood, operation):
            return False
        mood.lose_answers -= 1
        self.set(vendor, mood)
        return True

    def take_special(self, vendor: Vendor, name: str) -> bool:
        """Say whether a vendor-specific switch is on, counting it off by one (a negative count never runs out)."""
        mood = self.mood(vendor)
        left = mood.special.get(name, 0)
        if left > 0:
            mood.special[name] = left - 1
            self.set(vendor, mood)
        return left != 0

    @staticmethod
    def _applies(mood: Mood, operation: str) -> bool:
        return not mood.operations or operation in mood.operations
