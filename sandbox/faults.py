"""Bad days on demand: each vendor can be taken down, slowed, made flaky, broken or made to lose its answers."""

import asyncio
import random
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

from sandbox.store import Store
from sandbox.switches import VENDORS, Vendor, is_switch

__all__ = ["VENDORS", "Breakage", "FaultSettings", "Faults", "Vendor", "VendorBroken", "VendorDown", "VendorFailed"]
Breakage = Literal["", "html", "half", "silence", "refused"]


@dataclass
class FaultSettings:
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

    def validate(self, vendor: Vendor) -> None:
        """Raise ValueError for a breakage or a switch that does not exist."""
        if self.broken not in get_args(Breakage):
            raise ValueError(f"broken: {self.broken!r} is none of {', '.join(filter(None, get_args(Breakage)))}")
        for name, number in self.special.items():
            if not is_switch(vendor, name):
                raise ValueError(f"special: {vendor} has no switch {name!r}")
            if not isinstance(number, int):
                raise ValueError(f"special.{name}: {number!r} is no whole number")


def parse_fault_settings(wanted: object) -> FaultSettings:
    """Return the fault settings that a document describes. Raises ValueError, which names the field."""
    names = [each.name for each in fields(FaultSettings)]
    if not isinstance(wanted, dict):
        raise ValueError("fault settings are an object with any of " + ", ".join(names))
    if unknown := sorted(wanted.keys() - set(names)):
        raise ValueError(f"{unknown[0]}: no such field; there are {', '.join(names)}")
    try:
        return TypeAdapter(FaultSettings).validate_python(wanted)
    except ValidationError as error:
        problems = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
        raise ValueError("; ".join(problems)) from error


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
    """Hold each vendor's fault settings in the store; vendors ask before and after every call."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._calls: Counter[tuple[Vendor, str]] = Counter()

    def calls(self) -> dict[str, dict[str, int]]:
        """Return how often each operation of each vendor was called since the sandbox started."""
        counts: dict[str, dict[str, int]] = {vendor: {} for vendor in VENDORS}
        for (vendor, operation), count in sorted(self._calls.items()):
            counts[vendor][operation] = count
        return counts

    def settings_of(self, vendor: Vendor) -> FaultSettings:
        """Return a vendor's fault settings."""
        return FaultSettings(**(self._store.get("mood", vendor) or {}))

    def set(self, vendor: Vendor, settings: FaultSettings) -> None:
        """Set a vendor's faults. Raises ValueError for settings that do not exist."""
        settings.validate(vendor)
        self._store.put("mood", vendor, asdict(settings))

    async def before(self, vendor: Vendor, operation: str) -> None:
        """Count the call, then wait or raise as the settings say. Raises VendorDown, VendorFailed or VendorBroken."""
        self._calls[vendor, operation] += 1
        settings = self.settings_of(vendor)
        if not self._applies(settings, operation):
            return
        if settings.slow:
            await asyncio.sleep(settings.slow)
        if settings.down:
            self._count_off(vendor)
            raise VendorDown(vendor)
        if settings.broken not in ("", "half"):
            self._count_off(vendor)
            raise VendorBroken(settings.broken)
        if settings.flaky and random.random() < settings.flaky:
            self._count_off(vendor)
            raise VendorFailed(vendor)

    def halves_answer(self, vendor: Vendor, operation: str) -> bool:
        """Say whether this answer is to be cut in its middle, and count it off."""
        settings = self.settings_of(vendor)
        if settings.broken != "half" or not self._applies(settings, operation):
            return False
        self._count_off(vendor)
        return True

    def loses_answer(self, vendor: Vendor, operation: str) -> bool:
        """Say whether this write's answer is to be lost, and count it off. Ask after the write was carried out."""
        settings = self.settings_of(vendor)
        if settings.lose_answers <= 0 or not self._applies(settings, operation):
            return False
        settings.lose_answers -= 1
        self.set(vendor, settings)
        return True

    def take_special(self, vendor: Vendor, name: str) -> bool:
        """Say whether a vendor-specific switch is on, counting it off by one (a negative count never runs out)."""
        settings = self.settings_of(vendor)
        left = settings.special.get(name, 0)
        if left > 0:
            settings.special[name] = left - 1
            self.set(vendor, settings)
        return left != 0

    def take_prefixed(self, vendor: Vendor, prefix: str) -> str:
        """Return the rest of the name of a switch that is on and begins so, counting it off; empty without one."""
        for name, left in self.settings_of(vendor).special.items():
            if left and name.startswith(prefix):
                self.take_special(vendor, name)
                return name.removeprefix(prefix)
        return ""

    def applies(self, vendor: Vendor, operation: str) -> bool:
        """Say whether a vendor's faults concern an operation."""
        return self._applies(self.settings_of(vendor), operation)

    def level(self, vendor: Vendor, name: str) -> int:
        """Return a switch's number without counting it off; 0 when it is off."""
        return self.settings_of(vendor).special.get(name, 0)

    def _count_off(self, vendor: Vendor) -> None:
        settings = self.settings_of(vendor)
        if settings.times < 0:
            return
        settings.times -= 1
        if settings.times <= 0:
            settings.down, settings.flaky, settings.broken, settings.times = False, 0.0, "", -1
        self.set(vendor, settings)

    @staticmethod
    def _applies(settings: FaultSettings, operation: str) -> bool:
        return not settings.operations or operation in settings.operations
