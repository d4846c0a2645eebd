"""The list of a customer's support cases."""

from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

import reflex as rx

from portal_app.domain.support.case import SupportCase
from portal_app.domain.support.case_list import PAGE, CasePage, CaseQuery
from portal_app.language import _, path_for
from portal_app.language.format import time
from portal_app.state.shell.error_reporting import language_of, report_errors
from portal_app.state.shell.page_state import PageState
from portal_app.state.support.words import category_of, turn_of
from portal_app.wiring.portal import portal

_ROUTE, _LONGEST = "/support/cases", 100
_USUAL = {"status": "all", "q": "", "sort": "activity", "page": "1"}
_FILTERS = ("all", "open", "waiting", "closed")


@dataclass(frozen=True)
class CaseRow:
    """One case in the list."""

    subject: str
    href: str
    number: str
    category: str
    word: str
    tone: str
    at: str
    is_unread: bool


class CasesPage(PageState, rx.State):
    """One page of cases; filter, search, order and page are in the address."""

    topics: ClassVar[frozenset[str]] = frozenset({"support", "account"})

    rows: list[CaseRow] = []
    filter: str = "all"
    search: str = ""
    sort: str = "activity"
    has_any: bool = False
    found_words: str = ""
    before: str = ""
    after: str = ""
    hrefs: dict[str, str] = {}

    @rx.event
    @report_errors
    async def look_for(self, form: dict[str, Any]):
        """Go to the address of a search."""
        self.search, self.sort = str(form.get("q", ""))[:_LONGEST], str(form.get("sort", ""))
        return rx.redirect(self._address(status=self.filter, page=1))

    async def _read_page(self) -> None:
        """Read the cases that the address asks for."""
        self.search = self._query("q")[:_LONGEST]
        query = CaseQuery.parse(
            status=self._query("status"), q=self.search, sort=self._query("sort"), page=self._query("page")
        )
        self.filter, self.sort = query.status, query.sort
        found = await portal().support.cases.page(await self._customer(), query)
        self._note_saved(found.as_of)
        self.rows = [_row(case) for case in found.cases]
        self.has_any = bool(found.total) or query != CaseQuery()
        self._set_page_links(found)

    def _set_page_links(self, found: CasePage) -> None:
        first, last = (found.page - 1) * PAGE + 1, min(found.page * PAGE, found.total)
        words = _("{first} to {last} of {total}").format(first=first, last=last, total=found.total)
        self.found_words = words if found.total > PAGE else ""
        self.before = self._address(status=self.filter, page=found.page - 1) if found.page > 1 else ""
        self.after = self._address(status=self.filter, page=found.page + 1) if found.page < found.last_page else ""
        self.hrefs = {kind: self._address(status=kind, page=1) for kind in _FILTERS}

    def _address(self, *, status: str, page: int) -> str:
        asked = {"status": status, "q": self.search.strip(), "sort": self.sort, "page": str(page)}
        query = urlencode({name: value for name, value in asked.items() if value != _USUAL[name]})
        return path_for(_ROUTE, language_of(self)) + (f"?{query}" if query else "")


def _row(case: SupportCase) -> CaseRow:
    turn = turn_of(case)
    return CaseRow(
        subject=case.subject,
        href=path_for(f"{_ROUTE}/{case.id}"),
        number=case.number or _("being sent"),
        category=category_of(case.category),
        word=turn.word,
        tone=turn.tone,
        at=time(case.last_activity_at),
        is_unread=case.is_unread,
    )
