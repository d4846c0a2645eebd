"""Bad days on demand: each vendor can be taken down, slowed, made flaky, broken or made to lose its answers."""

import asyncio
import random
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from sandbox.store import Store
from sandbox.switches import VENDORS, Vendor, is_switch

__all__ = ["VENDORS", "Breakage", "Faults", "Mood", "Vendor", "VendorBroken", "VendorDown", "VendorFailed"]
Breakage = Literal["", "html", "half", "silence", "refused"]


@dataclass
class Mood:
    """How a vendor behaves now.

    down: answers 503 with an HTML page. slow: seconds waited before each answer. flaky: share of calls (0..1) that
    fail with 500. broken: `html` answers 200 with a web page, `half` cuts every answer in its middle (writes are
    carried out), `silence` never answers, `refused` resets the connection before any answer. times: how many calls
    `down`, `flaky` and `broken` still hit before the vendor is well again; negative means for ever. lose_answers:
    how many of the next matching writes are carried out but answered by a cut connection. operations: names the
    faults apply to; empty means all. special: switches of the vendor by name, see sandbox/switches.py.
    """

    down: bool = False
    slow: float = 0.0
    flaky: float = 0.0
    broken: Breakage = ""
    times: int = -1
    lose_answers: int = 0
    operations: list[str] = field(default_factory=list)
    special: dict[str, int] = field(default_factory=dict)

    def check(self, vendor: Vendor) -> None:
        """Raise ValueError for a breakage or a switch that does not exist."""
        if self.broken not in get_args(Breakage):
            raise ValueError(f"broken: {self.broken!r} is none of {', '.join(filter(None, get_args(Breakage)))}")
        for name, number in self.special.items():
            if not is_switch(vendor, name):
                raise ValueError(f"special: {vendor} has no switch {name!r}")
            if not isinstance(number, int):
                raise ValueError(f"special.{name}: {number!r} is no whole number")


class VendorDown(Exception):
    """The vendor is to answer with a maintenance page (HTML, 503)."""


class VendorFailed(Exception):
    """The vendor is to answer this call with a plain 500."""


class VendorBroken(Exception):
    """The vendor is to answer as `kind` says; `half` is drawn with an answer at hand, see `halves_answer`."""

    def __init__(self, kind: Breakage) -> None:
        super().__init__(kind)
        self.kind = kind


class Faults:
    """Hold each vendor's mood in the store; vendors ask before and after every call."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._calls: Counter[tuple[Vendor, str]] = Counter()

    def calls(self) -> dict[str, dict[str, int]]:
        """Return how often each operation of each vendor was called since the sandbox started."""
        counts: dict[str, dict[str, int]] = {vendor: {} for vendor in VENDORS}
        for (vendor, operation), count in sorted(self._calls.items()):
            counts[vendor][operation] = count
        return counts

    def mood(self, vendor: Vendor) -> Mood:
        """Return the mood a vendor is in."""
        return Mood(**(self._store.get("mood", vendor) or {}))

    def set(self, vendor: Vendor, mood: Mood) -> None:
        """Put a vendor into a mood. Raises ValueError for one that does not exist."""
        mood.check(vendor)
        self._store.put("mood", vendor, asdict(mood))

    async def before(self, vendor: Vendor, operation: str) -> None:
        """Count the call, then wait or raise as the mood says. Raises VendorDown, VendorFailed or VendorBroken."""
        self._calls[vendor, operation] += 1
        mood = self.mood(vendor)
        if not self._applies(mood, operation):
            return
        if mood.slow:
            await asyncio.sleep(mood.slow)
        if mood.down:
            self._count_off(vendor)
            raise VendorDown(vendor)
        if mood.broken not in ("", "half"):
            self._count_off(vendor)
            raise VendorBroken(mood.broken)
        if mood.flaky and random.random() < mood.flaky:
            self._count_off(vendor)
            raise VendorFailed(vendor)

    def halves_answer(self, vendor: Vendor, operation: str) -> bool:
        """Say whether this answer is to be cut in its middle, and count it off."""
        mood = self.mood(vendor)
        if mood.broken != "half" or not self._applies(mood, operation):
            return False
        self._count_off(vendor)
        return True

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

    def take_prefixed(self, vendor: Vendor, prefix: str) -> str:
        """Return the rest of the name of a switch that is on and begins so, counting it off; empty without one."""
        for name, left in self.mood(vendor).special.items():
            if left and name.startswith(prefix):
                self.take_special(vendor, name)
                return name.removeprefix(prefix)
        return ""

    def applies(self, vendor: Vendor, operation: str) -> bool:
        """Say whether a vendor's faults concern an operation."""
        return self._applies(self.mood(vendor), operation)

    def level(self, vendor: Vendor, name: str) -> int:
        """Return a switch's number without counting it off; 0 when it is off."""
        return self.mood(vendor).special.get(name, 0)

    def _count_off(self, vendor: Vendor) -> None:
        mood = self.mood(vendor)
        if mood.times < 0:
            return
        mood.times -= 1
        if mood.times <= 0:
            mood.down, mood.flaky, mood.broken, mood.times = False, 0.0, "", -1
        self.set(vendor, mood)

    @staticmethod
    def _applies(mood: Mood, operation: str) -> bool:
        return not mood.operations or operation in mood.operations
