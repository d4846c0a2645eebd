"""The stored cards and banks of a customer."""

from dataclasses import dataclass
from typing import ClassVar

import reflex as rx

from portal_app.domain.customer import Customer
from portal_app.domain.invoice import PaymentMethod
from portal_app.language import _
from portal_app.state.page_state import PageState, opened, told
from portal_app.wiring import portal


@dataclass(frozen=True)
class MethodRow:
    """One stored card or bank."""

    name: str
    note: str
    expires: str


def method_row(method: PaymentMethod) -> MethodRow:
    """Return a card or bank as pages show it, never more of its number than the last four digits."""
    words = {"card": _("Card ending in {digits}"), "bank": _("Bank account ending in {digits}")}[method.kind]
    name = words.format(digits=method.last_four) if method.last_four else method.description
    note = method.description if method.description != name else ""
    return MethodRow(name=name, note=note, expires=method.expires)


async def methods_of(customer: Customer, *, anew: bool) -> list[PaymentMethod]:
    """Return the stored methods; read anew when asked, and when none is known, for one may just have been added."""
    payments = portal().payments
    methods = [] if anew else await payments.payment_methods_for(customer)
    if not methods:
        await payments.forget_payment_methods(customer)
        methods = await payments.payment_methods_for(customer)
    return methods


class PaymentMethodsPage(PageState, rx.State):
    """Cards and banks as WHMCS keeps them."""

    topics: ClassVar[frozenset[str]] = frozenset({"billing", "account"})

    rows: list[MethodRow] = []
    path: str = ""

    @rx.event
    @opened
    async def load(self):
        """Read the stored methods; coming back from adding one, read them anew."""
        await self._read(anew=self._query("back") == "1")

    @told
    async def refresh(self):
        """Read them anew after a live change."""
        await self._read(anew=False)
        self.shown = True

    async def _read(self, *, anew: bool) -> None:
        self.path = f"{self.router.url.path}?back=1"
        self.rows = [method_row(method) for method in await methods_of(await self._customer(), anew=anew)]
