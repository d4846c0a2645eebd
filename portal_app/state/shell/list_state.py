"""The mixin of a list page's state: filter, search, order and page stand in the address."""

from typing import Any, ClassVar
from urllib.parse import urlencode

import reflex as rx

from portal_app.language import _, path_for
from portal_app.state.shell.error_reporting import handler, language_of
from portal_app.state.shell.page_state import PageState

LONGEST_SEARCH = 100


class ListState(PageState, mixin=True):
    """Mix into the state of a list page. `_read_page` sets the rows, then calls `_set_page_links`."""

    route: ClassVar[str]
    filters: ClassVar[tuple[str, ...]]
    usual_sort: ClassVar[str]

    filter: str = "all"
    search: str = ""
    sort: str = ""
    has_any: bool = False
    found_words: str = ""
    before: str = ""
    after: str = ""
    hrefs: dict[str, str] = {}

    @handler
    async def look_for(self, form: dict[str, Any]):
        """Go to the address of a search."""
        self.search, self.sort = str(form.get("q", ""))[:LONGEST_SEARCH], str(form.get("sort", ""))
        return rx.redirect(self._address(status=self.filter, page=1))

    def _set_page_links(self, page: int, total: int, *, per_page: int) -> None:
        first, last = (page - 1) * per_page + 1, min(page * per_page, total)
        words = _("{first} to {last} of {total}") if first <= last else _("{total} in all")
        self.found_words = words.format(first=first, last=last, total=total) if total > per_page else ""
        self.before = self._address(status=self.filter, page=page - 1) if page > 1 else ""
        self.after = self._address(status=self.filter, page=page + 1) if last < total else ""
        self.hrefs = {kind: self._address(status=kind, page=1) for kind in self.filters}

    def _address(self, *, status: str, page: int) -> str:
        asked = {"status": status, "q": self.search.strip(), "sort": self.sort, "page": str(page)}
        usual = {"status": "all", "q": "", "sort": self.usual_sort, "page": "1"}
        query = urlencode({name: value for name, value in asked.items() if value != usual[name]})
        return path_for(self.route, language_of(self)) + (f"?{query}" if query else "")
