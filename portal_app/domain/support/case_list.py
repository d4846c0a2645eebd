"""The list of a customer's cases: what is asked for, and the page that answers it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from portal_app.domain.support.case import SupportCase

CaseFilter = Literal["all", "open", "waiting", "closed"]
CaseSort = Literal["activity", "newest", "oldest"]
PAGE = 20
_LONGEST_SEARCH, _LAST_PAGE = 100, 1000


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """What a customer wants to see. `waiting` are the cases that wait for the customer."""

    status: CaseFilter = "all"
    search: str = ""
    sort: CaseSort = "activity"
    page: int = 1

    @classmethod
    def parse(cls, *, status: str = "", q: str = "", sort: str = "", page: str = "") -> "CaseQuery":
        """Parse an address's query; values that make no sense count as not given."""
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
        return cls(
            status=next((each for each in get_args(CaseFilter) if each == status), "all"),
            search=folded(q)[:_LONGEST_SEARCH],
            sort=next((each for each in get_args(CaseSort) if each == sort), "activity"),
            page=min(max(number, 1), _LAST_PAGE),
        )


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of a list. `total` counts all that match; `as_of` is None for fresh data."""

    cases: tuple[SupportCase, ...]
    total: int
    page: int
    as_of: datetime | None

    @property
    def last_page(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // PAGE))


def folded(text: str) -> str:
    """Return a text as it is compared: full and half width, upper and lower case, hiragana and katakana alike."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(chr(ord(each) - 0x60) if "ァ" <= each <= "ヶ" else each for each in plain).strip()


def page_of(cases: Sequence[SupportCase], query: CaseQuery, *, as_of: datetime | None) -> CasePage:
    """Return the page of a query from all of a customer's cases whose text was searched already."""
    matching = [case for case in cases if _has_status(case, query.status)]
    if query.sort == "activity":
        # Open cases first: a list that ends with what is done.
        matching.sort(key=lambda case: (case.is_closed, -case.last_activity_at.timestamp()))
    else:
        matching.sort(key=lambda case: case.opened_at, reverse=query.sort == "newest")
    page = min(query.page, max(1, -(-len(matching) // PAGE)))
    return CasePage(tuple(matching[(page - 1) * PAGE : page * PAGE]), len(matching), page, as_of)


def _has_status(case: SupportCase, status: CaseFilter) -> bool:
    if status == "waiting":
        return case.turn == "customer"
    return status == "all" or case.is_closed == (status == "closed")
