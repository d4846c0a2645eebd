"""The security history: everything that happened to the account, in plain words."""

from dataclasses import dataclass

import reflex as rx

from portal_app.domain.identity.mfa import HistoryEntry
from portal_app.language.format import time
from portal_app.state.identity.history_words import what_happened, who_did
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class HistoryRow:
    """One thing that happened."""

    at: str
    what: str
    who: str
    where: str


class HistoryPage(PageState, rx.State):
    """The newest entries first; a button shows more."""

    rows: list[HistoryRow] = []
    has_more: bool = False
    _before: int | None = None

    async def _read_page(self) -> None:
        self.rows, self._before = [], None
        await self._read_on()

    @handler
    async def show_more(self):
        """Read on where the last page ended."""
        if self.has_more:
            await self._read_on()

    async def _read_on(self) -> None:
        entries, onward = await portal().identity.devices.history_of(await self._user_id(), before=self._before)
        self.rows = [*self.rows, *[_row(entry) for entry in entries]]
        self._before, self.has_more = onward, onward is not None


def _row(entry: HistoryEntry) -> HistoryRow:
    where = " · ".join(part for part in (entry.detail.get("browser"), entry.detail.get("network")) if part)
    return HistoryRow(time(entry.at), what_happened(entry.tag), who_did(entry.actor), where or "–")
