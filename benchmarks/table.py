"""The one table that all measurements end in."""

from collections.abc import Sequence
from dataclasses import dataclass

_HEADINGS = ("name", "figure", "peer or limit", "ratio", "goal", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, what it is held against, and whether it meets its goal; `is_ok` None has no goal."""

    name: str
    figure: float
    unit: str
    against: str
    peer: float
    goal: str = ""
    is_ok: bool | None = None

    @property
    def ratio(self) -> float:
        """Return the figure as a multiple of its peer or limit."""
        return self.figure / self.peer if self.peer else float("inf")

    def cells(self) -> tuple[str, ...]:
        """Return the row as texts."""
        verdict = {True: "ok", False: "over", None: "-"}[self.is_ok]
        peer = f"{self.against} {_number(self.peer)}".strip()
        return (self.name, f"{_number(self.figure)} {self.unit}", peer, f"{self.ratio:.2f}", self.goal, verdict)


def within(name: str, figure: float, unit: str, *, limit: float) -> Row:
    """Hold a figure against a fixed limit."""
    goal = f"<= {_number(limit)} {unit}".rstrip()
    return Row(name, figure, unit, "limit", limit, goal=goal, is_ok=figure <= limit)


def versus(name: str, figure: float, unit: str, *, peer: tuple[str, float], most: float | None = None) -> Row:
    """Hold a figure against a named peer of the same run; `most` is the largest good ratio, None sets no goal."""
    against, value = peer
    goal = f"ratio <= {most:g}" if most is not None else ""
    return Row(name, figure, unit, against, value, goal=goal, is_ok=None if most is None else figure <= value * most)


def at_least(name: str, figure: float, unit: str, *, peer: tuple[str, float], least: float) -> Row:
    """Hold a figure against a named peer of the same run that it should exceed this many times."""
    against, value = peer
    return Row(name, figure, unit, against, value, goal=f"ratio >= {least:g}", is_ok=figure >= value * least)


def as_text(rows: Sequence[Row]) -> str:
    """Lay rows out in columns."""
    lines = [_HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
