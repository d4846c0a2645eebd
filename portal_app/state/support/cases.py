"""The list of a customer's support cases."""

from dataclasses import dataclass
from typing import ClassVar

import reflex as rx

from portal_app.domain.support.case import SupportCase
from portal_app.domain.support.case_list import PAGE, CaseQuery
from portal_app.language import _, path_for
from portal_app.language.format import time
from portal_app.state.shell.list_state import LONGEST_SEARCH, ListState
from portal_app.state.support.words import category_of, saved_words, turn_of
from portal_app.wiring.portal import portal


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


class CasesPage(ListState, rx.State):
    """One page of cases; filter, search, order and page are in the address."""

    topics: ClassVar[frozenset[str]] = frozenset({"support", "account"})
    route: ClassVar[str] = "/support/cases"
    filters: ClassVar[tuple[str, ...]] = ("all", "open", "waiting", "closed")
    usual_sort: ClassVar[str] = "activity"

    rows: list[CaseRow] = []

    async def _read_page(self) -> None:
        """Read the cases that the address asks for."""
        self.search = self._query("q")[:LONGEST_SEARCH]
        query = CaseQuery.parse(
            status=self._query("status"), q=self.search, sort=self._query("sort"), page=self._query("page")
        )
        self.filter, self.sort = query.status, query.sort
        found = await portal().support.cases.page(await self._customer(), query)
        self.saved_note = saved_words(found.as_of)
        self.rows = [_row(case) for case in found.cases]
        self.has_any = bool(found.total) or query != CaseQuery()
        self._set_page_links(found.page, found.total, per_page=PAGE)


def _row(case: SupportCase) -> CaseRow:
    turn = turn_of(case)
    return CaseRow(
        subject=case.subject,
        href=path_for(f"{CasesPage.route}/{case.id}"),
        number=case.number or ("" if case.is_refused else _("being sent")),
        category=category_of(case.category),
        word=turn.word,
        tone=turn.tone,
        at=time(case.last_activity_at),
        is_unread=case.is_unread,
    )
