"""A vendor's list of which some rows may be unreadable."""

from collections.abc import Collection
from typing import TypeVar

Row = TypeVar("Row")


class Listing(list[Row]):
    """The rows that could be read. `unreadable` are the ids of others, of which nothing else is known."""

    unreadable: frozenset[int] = frozenset()


def unreadable_in(rows: Collection[object]) -> frozenset[int]:
    """Return the ids of the rows that exist at the vendor and could not be read."""
    return rows.unreadable if isinstance(rows, Listing) else frozenset()
