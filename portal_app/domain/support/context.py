"""The facts about an invoice, order, service or line that go to our team with a question about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

FactKind = Literal[
    "invoice",
    "order",
    "service",
    "status",
    "issued",
    "due",
    "total",
    "balance",
    "placed",
    "since",
    "line",
    "line_state",
]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. Dates are ISO, amounts have their currency; a status is the portal's own word."""

    kind: FactKind
    value: str


def context_text(facts: Iterable[Fact], words: Callable[[Fact], tuple[str, str]] | None = None) -> str:
    """Return facts as the lines that stand below a question; `words` returns label and value of one."""
    told = (words(fact) if words else (fact.kind, fact.value) for fact in facts)
    return "\n".join(f"{label}: {value}" for label, value in told)
