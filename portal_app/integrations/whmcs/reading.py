"""Reads whole answers: joins pages, and turns unreadable answers into the portal's errors."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from portal_app.domain.errors import ExternalUnavailable, NotFound, OutcomeUnknown, Unreadable
from portal_app.domain.ports.listing import Listing
from portal_app.integrations.odd_rows import UNREADABLE, name_unreadable, read_rows
from portal_app.integrations.whmcs.client import VENDOR, WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import FormValue
from portal_app.integrations.whmcs.fields import Row, number, rows

Read = TypeVar("Read")
PAGE_SIZE = 100
MOST_PAGES = 100


@contextmanager
def understood(action: str, *, row_id: object = "", written: bool = False) -> Iterator[None]:
    """Turn a value that cannot be read into Unreadable, or OutcomeUnknown after a write; operators hear the id."""
    try:
        yield
    except UNREADABLE as error:
        detail = f"{action}: an answer we cannot read ({type(error).__name__})"
        if written:
            raise OutcomeUnknown(detail, vendor=VENDOR) from error
        name_unreadable(VENDOR, action, str(row_id), error)
        raise Unreadable(detail, vendor=VENDOR) from error


def read_each(rows: Iterable[Row], read: Callable[[Row], Read], *, action: str, id_name: str = "id") -> Listing[Read]:
    """Return what `read` makes of the rows of a list, without those that it cannot read (`odd_rows`)."""
    found, odd = read_rows(rows, read, vendor=VENDOR, listing=action, id_of=lambda row: row.get(id_name))
    listing = Listing(found)
    listing.unreadable = frozenset(filter(None, (_id_or_none(row, id_name) for row in odd)))
    return listing


@contextmanager
def not_found_when(message: str) -> Iterator[None]:
    """Turn this refusal, compared without regard to case, into NotFound."""
    try:
        yield
    except WHMCSRejected as error:
        if error.message.casefold() == message.casefold():
            raise NotFound(str(error)) from error
        raise


async def all_rows(
    client: WHMCSClient, action: str, params: Mapping[str, FormValue], *, plural: str, singular: str
) -> list[Row]:
    """Fetch every page of a list. WHMCS sends 25 rows by default, and totals may grow meanwhile."""
    found: list[Row] = []
    for _ in range(MOST_PAGES):
        page = {**params, "limitstart": len(found), "limitnum": PAGE_SIZE}
        body = await client.call(action, page, safe=True)
        here = rows(body, plural, singular)
        found += here
        if not here or len(found) >= _total(body, at_least=len(found)):
            return found
    raise ExternalUnavailable(f"{action}: more than {MOST_PAGES * PAGE_SIZE} rows", vendor=VENDOR)


def _total(body: Row, *, at_least: int) -> int:
    """Return how many rows there are; unless that can be read, a page that is not full is the last one."""
    try:
        return number(body, "totalresults")
    except ValueError:
        return at_least + 1 if at_least % PAGE_SIZE == 0 else at_least


def _id_or_none(row: Row, name: str) -> int | None:
    try:
        return number(row, name)
    except ValueError:
        return None
