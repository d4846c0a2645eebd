"""The table of results."""

from collections.abc import Sequence
from dataclasses import dataclass

_HEADINGS = ("name", "figure", "peer or limit", "ratio", "goal", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, its limit or peer, and whether it meets the goal (`is_ok` None: no goal)."""

    name: str
    figure: float
    unit: str
    against: str
    peer: float
    goal: str = ""
    is_ok: bool | None = None

    @property
    def ratio(self) -> float:
        """Return the ratio of the figure to its peer or limit."""
        return self.figure / self.peer if self.peer else float("inf")

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the row's cells."""
        verdict = {True: "ok", False: "over", None: "-"}[self.is_ok]
        peer = f"{self.against} {_number(self.peer)}".strip()
        return (self.name, f"{_number(self.figure)} {self.unit}", peer, f"{self.ratio:.2f}", self.goal, verdict)


def within(name: str, figure: float, unit: str, *, limit: float) -> Row:
    """Return a row that compares a figure with a fixed limit."""
    goal = f"<= {_number(limit)} {unit}".rstrip()
    return Row(name, figure, unit, "limit", limit, goal=goal, is_ok=figure <= limit)


def versus(name: str, figure: float, unit: str, *, peer: tuple[str, float], most: float | None = None) -> Row:
    """Return a row that compares a figure with a peer; `most` is the largest accepted ratio (None: no goal)."""
    against, value = peer
    goal = f"ratio <= {most:g}" if most is not None else ""
    return Row(name, figure, unit, against, value, goal=goal, is_ok=None if most is None else figure <= value * most)


def at_least(name: str, figure: float, unit: str, *, peer: tuple[str, float], least: float) -> Row:
    """Return a row for a figure that must be at least this many times the peer's."""
    against, value = peer
    return Row(name, figure, unit, against, value, goal=f"ratio >= {least:g}", is_ok=figure >= value * least)


def as_text(rows: Sequence[Row]) -> str:
    """Return the rows as a text table."""
    lines = [_HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
