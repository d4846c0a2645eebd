"""What was true when: whether something that is shown was true lately enough."""

import math
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal

Kind = Literal["bill", "service", "cards", "money"]
# Of what, of whose, and which one.
Key = tuple[Kind, int, int]
# How soon a hook that was applied has to be seen: the time of a list that was under way and of its transport.
AT_ONCE_SECONDS = 0.3


class Ledger:
    """Every state of every thing with its times, and what was heard of it. Times are this machine's clock."""

    def __init__(self) -> None:
        self._states: dict[Key, list[tuple[float, Any]]] = {}
        self._of: dict[tuple[Kind, int], set[Key]] = defaultdict(set)
        self._heard: dict[tuple[Kind, int, int | None], list[tuple[float, float]]] = defaultdict(list)

    def note(self, key: Key, value: Any) -> None:
        """Take in that a thing is so now; None where it is not there any more."""
        states = self._states.setdefault(key, [(-math.inf, None)])
        self._of[key[:2]].add(key)
        if states[-1][1] != value:
            states.append((time.time(), value))

    def keys(self, kind: Kind, client_id: int) -> set[Key]:
        """Return every thing of a kind that a client ever had."""
        return self._of[kind, client_id]

    def age(self, key: Key, is_it: Callable[[Any], bool], at: float) -> float:
        """Return for how many seconds what `is_it` knows had not been true at a moment; infinite if it never was."""
        until = math.inf
        for since, value in reversed(self._states.get(key, [(-math.inf, None)])):
            if is_it(value):
                return max(0.0, at - until)
            until = since
        return math.inf

    def hear(self, kind: Kind, client_id: int, number: int | None, *, since: float) -> None:
        """Take in that a hook about a thing, or about all of a kind, was applied by a reading begun at a moment."""
        heard = self._heard[kind, client_id, number]
        heard.append((time.time(), since))
        del heard[:-5]

    def floor(self, key: Key, began: float) -> float:
        """Return the moment that a reader who began then must not be shown anything older than."""
        kind, client_id, number = key
        heard = self._heard[kind, client_id, number] + self._heard[kind, client_id, None]
        return max((since for at, since in heard if at + AT_ONCE_SECONDS < began), default=-math.inf)
