"""Calls and SMS of a SIM line, a month at a time; nothing is read before a recent proof of identity.

The state of a page lies in Redis, so it holds masked numbers only: whole ones are in the file alone.
"""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from portal_app.domain.calls.call import Call, CallMonth, NumbersShown, month_text, parse_month
from portal_app.domain.errors import StepUpNeeded
from portal_app.domain.identifiers import vendor_number
from portal_app.domain.money import Money
from portal_app.language import _, path_for
from portal_app.language.format import duration, month, time
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal

_MOST_ROWS = 300


@dataclass(frozen=True)
class CallRow:
    """One call or SMS, with its number masked."""

    at: str
    kind: str
    number: str
    took: str
    charge: str


class CallsPage(PageState, rx.State):
    """The records of one month; `locked` until the customer has confirmed who it is."""

    name: str = ""
    back: str = ""
    locked: bool = True
    chosen: str = ""
    months: list[list[str]] = []
    rows: list[CallRow] = []
    calls: str = ""
    sms: str = ""
    charge: str = ""
    more: str = ""
    kept: str = ""
    _number: int = 0

    async def _read_page(self) -> None:
        self._number = vendor_number(self.router.url.path.rstrip("/").split("/")[-2])
        customer = await self._customer()
        service, as_of = await portal().subscriptions.services.subscription_for(customer, self._number)
        await portal().calls.details.require_line(customer, self._number)
        self._note_saved(as_of)
        self.name, self.back = service.name, path_for(f"/subscriptions/{service.id}")
        self.kept = duration(portal().settings.portal_keep_call_days * 86400)
        self._forget()
        try:
            await self._show("")
        except StepUpNeeded:
            # The page opens without them, and a press asks: nobody is asked by merely coming by.
            self.locked = True

    @handler
    async def unlock(self):
        """Show the newest month after a recent proof of identity."""
        await self._show("")

    @handler
    async def choose_month(self, wanted: str):
        """Show another month."""
        await self._show(wanted)

    @handler
    async def download(self):
        """Download the month with masked numbers."""
        return await self._file("masked")

    @handler
    async def download_whole(self):
        """Download the month with whole numbers."""
        return await self._file("whole")

    async def _file(self, numbers: NumbersShown) -> Any:
        await self._require_recent_proof()
        query = f"?month={self.chosen}&numbers={numbers}"
        return rx.download(url=f"/api/subscriptions/{self._number}/sim/calls.csv{query}")

    async def _show(self, wanted: str) -> None:
        await self._require_recent_proof()
        chosen = parse_month(wanted)
        found = await portal().calls.details.of_month(await self._customer(), self._number, chosen)
        self.locked, self.chosen = False, month_text(found.month)
        self.months = [[month_text(each), month(each)] for each in found.months]
        self.rows = [_row(each) for each in found.calls[:_MOST_ROWS]]
        self._sum_up(found)

    def _sum_up(self, found: CallMonth) -> None:
        count = _("{count}, {length} in all")
        self.calls = count.format(count=found.call_count, length=_length(found.seconds)) if found.call_count else "0"
        self.sms = str(found.sms_count)
        self.charge = "" if found.charge is None else str(Money(found.charge))
        is_cut = len(found.calls) > _MOST_ROWS
        words = _("The newest {count} are shown. The file has all of the month.")
        self.more = words.format(count=_MOST_ROWS) if is_cut else ""

    def _forget(self) -> None:
        self.locked, self.chosen, self.months, self.rows = True, "", [], []
        self.calls = self.sms = self.charge = self.more = ""


def _row(call: Call) -> CallRow:
    return CallRow(
        at=time(call.at),
        kind=_("SMS") if call.kind == "sms" else _("Call"),
        number=call.shown_number("masked"),
        took="–" if call.kind == "sms" else _length(call.seconds),
        charge="–" if call.charge is None else str(Money(call.charge)),
    )


def _length(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
