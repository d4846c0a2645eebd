"""The mixins of every page's state: `load`, `refresh`, and what the page shows while it has no data."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any, ClassVar
from uuid import UUID

import reflex as rx

from portal_app.domain.profile.customer import Customer
from portal_app.language import _
from portal_app.language.format import time
from portal_app.state.shell.error_reporting import report_errors
from portal_app.state.shell.notice_count import NoticeCount
from portal_app.state.shell.public_handlers import public
from portal_app.state.shell.session import PageSession
from portal_app.state.shell.step_up import close_question
from portal_app.wiring.portal import portal


def page_load(load: Callable[[Any], Any]) -> Callable[[Any], AsyncIterator[Any]]:
    """Make a handler the page's `load`: below `@rx.event`. A new address shows its skeleton, never the last rows.

    It returns the path of the page to show instead, or None. That page takes the place of this one in the browser's
    history: the way back leads to where the customer came from.
    """
    reported = report_errors(load)

    @wraps(load)
    async def run(self: Any) -> AsyncIterator[Any]:
        path = self.router.url.path
        if path != self._opened_path:
            self._opened_path, self.shown, self.loading = path, False, True
            yield
        await close_question(self)
        instead = await reported(self)
        await (await self.get_state(NoticeCount)).refresh()
        if instead is not None:
            yield rx.redirect(instead, replace=True)
        elif not (self.problem or self.missing or self.setting_up):
            self.shown = True

    return run


class PageState(rx.State, mixin=True):
    """Mix into a page's state and write `_read_page`. `topics` are the live changes that make an open page `refresh`.

    The page shows one of these: `missing`, `setting_up`, its rows once `shown`, a `problem`, or that it is `loading`.
    A problem with rows already shown stands above them.
    """

    topics: ClassVar[frozenset[str]] = frozenset()
    # States of parts that follow a topic by themselves: the page around them is not read again.
    parts: ClassVar[Mapping[str, type[rx.State]]] = {}

    loading: bool = True
    shown: bool = False
    missing: bool = False
    setting_up: bool = False
    setting_up_note: str = ""
    problem: str = ""
    saved_note: str = ""
    _opened_path: str = ""

    @rx.event
    @page_load
    async def load(self):
        """Read the page as it opens."""
        return await self._open_page()

    # No `@rx.event`: it is for live changes, and Reflex makes a handler of every public method anyway.
    @report_errors
    async def refresh(self):
        """Read the page again after a live change."""
        await self._read_page()
        self.shown = True

    async def _open_page(self) -> str | None:
        """Read the page as it opens. A page that does more then than at a refresh says so here."""
        return await self._read_page()

    async def _read_page(self) -> str | None:
        """Set what the page shows; nothing for a page without data. Return the path of another page, or None."""

    async def _customer(self) -> Customer:
        """Return the customer this tab is bound to. Raises AccountNotReady."""
        return await portal().identity.accounts.customer(await self._user_id())

    async def _user_id(self) -> UUID:
        return UUID((await self.get_state(PageSession))._user_id)

    async def _session_id(self) -> UUID:
        return UUID((await self.get_state(PageSession))._session_id)

    async def _require_recent_proof(self, *, seconds: int | None = None) -> None:
        """Raise StepUpNeeded without a recent proof of identity: the page then asks, and runs the handler again."""
        await portal().identity.sessions.require_recent(await self._session_id(), seconds=seconds)

    def _note_saved(self, as_of: datetime | None) -> None:
        """Say how old saved data are; None says nothing."""
        self.saved_note = (
            _("Saved data from {time}. Newer data follow as soon as billing answers.").format(time=time(as_of))
            if as_of
            else ""
        )

    def _query(self, name: str) -> str:
        """Return one parameter of the page's address, or an empty text."""
        return str(self.router.url.query_parameters.get(name, ""))

    def _last_part(self) -> str:
        """Return the last part of the page's path: the id in the address of a detail page."""
        return self.router.url.path.rstrip("/").rpartition("/")[2]


class PublicPageState(PageState, mixin=True):
    """Mix into the state of a page that opens without a session."""

    @public
    @rx.event
    @page_load
    async def load(self):
        """Read the page as it opens."""
        return await self._open_page()


class FormResult(PageState, mixin=True):
    """Mix into the state of a page whose form posts to the API: what the API says of it, after its redirect back."""

    email: str = ""
    error: str = ""
    notice: str = ""
    done: str = ""

    async def _read_result(self, field: str = "") -> None:
        """Read the error of one field or of the whole form, the success, and the e-mail address that was typed."""
        flash = await portal().flash_messages.read(self._query("flash"))
        self.email, self.error, self.done = flash.get("typed:email", ""), flash.get(field, ""), flash.get("done", "")
        self.notice = "" if self.error else flash.get("form", "")
