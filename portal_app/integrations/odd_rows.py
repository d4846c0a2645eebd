"""Rows of a vendor's list that cannot be read: left out and named to operators, and the rest of the list goes on."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

from portal_app.infra.metrics import counter

Row = TypeVar("Row")
Read = TypeVar("Read")
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_MOST_NAMED = 1000
_unreadable = counter(
    "portal_vendor_rows_unreadable",
    "Rows of vendors that could not be read and were left out",
    ["vendor", "list"],
)
_log = structlog.get_logger(__name__)
# What was logged already, so that a list that is read every minute does not fill the log.
_named: OrderedDict[tuple[str, str, str, str], None] = OrderedDict()


def read_rows(
    rows: Iterable[Row], read: Callable[[Row], Read], *, vendor: str, listing: str, id_of: Callable[[Row], object]
) -> tuple[list[Read], list[Row]]:
    """Return what `read` makes of the rows, and the rows that it could not read."""
    found: list[Read] = []
    odd: list[Row] = []
    for row in rows:
        try:
            found.append(read(row))
        except UNREADABLE as error:
            odd.append(row)
            name_unreadable(vendor, listing, str(id_of(row)), error)
    return found, odd


def name_unreadable(vendor: str, listing: str, row_id: str, error: Exception) -> None:
    """Count a row that was left out; log its id and the reason once per process."""
    _unreadable.labels(vendor, listing).inc()
    name = (vendor, listing, row_id[:40], f"{type(error).__name__}: {str(error)[:100]}")
    if name not in _named:
        _log.error("vendor.row_unreadable", vendor=vendor, list=listing, row=name[2], reason=name[3])
    _named[name] = None
    _named.move_to_end(name)
    while len(_named) > _MOST_NAMED:
        _named.popitem(last=False)
