"""What a soak says: a line now and then while it runs, and one table at its end."""

import sys
import time
from dataclasses import dataclass, field

_BEGAN = time.monotonic()


def say(text: str) -> None:
    """Say a line at once, with the minutes and seconds since the start."""
    minutes, seconds = divmod(int(time.monotonic() - _BEGAN), 60)
    sys.stdout.write(f"{minutes:3}:{seconds:02}  {text}\n")
    sys.stdout.flush()


@dataclass
class Check:
    """One thing that was counted: how often it should be, how often it is missing, and how often it is too much."""

    expected: int = 0
    missing: int = 0
    too_many: int = 0

    @property
    def is_ok(self) -> bool:
        """Whether everything is there once."""
        return not self.missing and not self.too_many


@dataclass
class Report:
    """Figures that only inform, checks that decide, and an example of each thing that is wrong."""

    title: str
    figures: dict[str, str] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def figure(self, name: str, value: object) -> None:
        """Take in a figure."""
        self.figures[name] = str(value)

    def count(self, name: str, times: int, *, expected: int = 1, what: str = "") -> None:
        """Take in how often something happened that should have happened so often."""
        check = self.checks.setdefault(name, Check())
        check.expected += expected
        check.missing += max(0, expected - times)
        check.too_many += max(0, times - expected)
        if times != expected:
            self.examples.append(f"{name}: {times} instead of {expected} {what}".rstrip())

    def is_clean(self) -> bool:
        """Say whether all checks hold."""
        return all(check.is_ok for check in self.checks.values())

    def text(self) -> str:
        """Lay everything out in columns, with the first things that are wrong."""
        width = max(len(name) for name in (*self.figures, *self.checks))
        lines = [f"\n{self.title}", *(f"{name:<{width}}  {value:>9}" for name, value in self.figures.items())]
        lines += ["", f"{'':<{width}}  {'expected':>9}{'missing':>9}{'too many':>9}"]
        for name, check in self.checks.items():
            verdict = "ok" if check.is_ok else "WRONG"
            lines.append(f"{name:<{width}}  {check.expected:>9}{check.missing:>9}{check.too_many:>9}  {verdict}")
        lines += ["", *self.examples[:20], *(["..."] if self.examples[20:] else [])]
        return "\n".join(lines).rstrip() + "\n"
