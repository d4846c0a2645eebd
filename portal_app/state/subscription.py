"""One service: its state, price and next due date."""

from typing import ClassVar

import reflex as rx

from portal_app.domain.identifiers import vendor_number
from portal_app.domain.sim_order import ShownLine
from portal_app.language import _
from portal_app.language.format import day, phone_number, time
from portal_app.state.page_state import PageState, opened, told
from portal_app.state.wording import cycle_words, line_standing, service_standing, taxed
from portal_app.wiring import portal

_KINDS = {"internet": "Internet", "sim": "SIM", "vpn": "VPN", "other": "Other"}


class SubscriptionPage(PageState, rx.State):
    """A service as WHMCS bills it."""

    topics: ClassVar[frozenset[str]] = frozenset({"orders", "billing", "account"})

    name: str = ""
    kind: str = ""
    word: str = ""
    tone: str = "neutral"
    price: str = ""
    price_note: str = ""
    period: str = ""
    since: str = ""
    next_due: str = ""
    support: str = ""
    has_line: bool = False
    line_number: str = ""
    line_word: str = ""
    line_tone: str = "neutral"
    line_note: str = ""

    @rx.event
    @opened
    async def load(self):
        """Read the service in the page's address."""
        await self._read()

    @told
    async def refresh(self):
        """Read it anew after a live change."""
        await self._read()
        self.shown = True

    async def _read(self) -> None:
        number = vendor_number(self._last_part())
        customer = await self._customer()
        service, as_of = await portal().subscriptions.subscription_for(customer, number)
        self._note_saved(as_of)
        standing = service_standing(service.status)
        self.name, self.kind = service.name, _(_KINDS[service.category])
        self.word, self.tone = standing.word, standing.tone
        self.price, self.period = str(taxed(service.recurring)), cycle_words(service.cycle)
        self.price_note = _("{amount} without tax").format(amount=service.recurring)
        self.since, self.next_due = day(service.registered_on), day(service.next_due_on)
        self.support = portal().settings.portal_support_email
        self._show_line(await portal().provisioning.reservations.line_of(customer, number))

    def _show_line(self, line: ShownLine | None) -> None:
        self.has_line = line is not None
        if line is None:
            return
        standing = line_standing(line.state)
        self.line_number, self.line_word, self.line_tone = phone_number(line.number), standing.word, standing.tone
        self.line_note = _("Last heard from the carrier: {time}").format(time=time(line.as_of)) if line.as_of else ""
