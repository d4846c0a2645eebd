"""Reads whole answers: joins pages, and turns unreadable answers into the portal's errors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from portal_app.domain.errors import ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.integrations.whmcs.client import VENDOR, WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import FormValue
from portal_app.integrations.whmcs.fields import Row, number, rows

PAGE_SIZE = 100
MOST_PAGES = 100


@contextmanager
def understood(action: str, *, written: bool = False) -> Iterator[None]:
    """Turn a value that cannot be read into ExternalUnavailable, or OutcomeUnknown after a write."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        kind = OutcomeUnknown if written else ExternalUnavailable
        raise kind(f"{action}: an answer we cannot read ({type(error).__name__})", vendor=VENDOR) from error


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
        with understood(action):
            if not here or len(found) >= number(body, "totalresults"):
                return found
    raise ExternalUnavailable(f"{action}: more than {MOST_PAGES * PAGE_SIZE} rows", vendor=VENDOR)
