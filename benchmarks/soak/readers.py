"""Readers of a day of hooks: they look at everything a customer can see, and hold it against what was true when."""

import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from benchmarks.soak.day import WholeDay
from benchmarks.soak.ledger import Key, Kind
from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import InvoiceListing, InvoiceQuery, Invoices
from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.infra.settings import Settings
from portal_app.services.billing.invoice_mirror import INVOICE
from tests.support.vendors.billing_services import BillingServices, as_shown

_ALL = InvoiceQuery(limit=1000)
# Two clocks are compared, and a reading begins a moment after it is wished for.
_MARGIN = 0.05


@dataclass
class Shown:
    """What a reader was shown, by thing; the time it said it is of, if it is saved data."""

    things: dict[Key, Any]
    as_of: datetime | None = None


@dataclass
class Seen:
    """What came of the looks at one kind of page: the oldest thing shown as fresh, and what broke a promise."""

    looks: int = 0
    saved: int = 0
    unknown: int = 0
    oldest: float = 0.0
    older: int = 0
    dishonest: int = 0
    behind: int = 0
    unanswered: int = 0
    sums: int = 0


@dataclass
class Readers:
    """Look at customers' pages and judge what is shown. `promises`: how old each page may be, in seconds."""

    day: WholeDay
    chance: random.Random
    promises: dict[str, float]
    seen: dict[str, Seen] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)

    async def look(self, billing_services: BillingServices, customer: Customer, page: str = "") -> None:
        """Look at one page of a customer: this one, or whichever comes."""
        page = page or self.chance.choice(list(self.promises))
        seen = self.seen.setdefault(page, Seen())
        ask: Callable[[BillingServices, Customer], Awaitable[Shown]] = getattr(self, f"_{page}")
        began = time.time()
        try:
            shown = await ask(billing_services, customer)
        except ExternalUnavailable:
            # Right where nothing is known yet, and where nothing is saved; a mirror always has an answer.
            seen.unknown += 1
            seen.unanswered += page in ("list", "text", "services") and bool(self.answered[page, customer.user_id.int])
            return
        self.answered[page, customer.user_id.int] += 1
        seen.looks += 1
        for key, thing in shown.things.items():
            self._judge(page, key, thing, began=began, as_of=shown.as_of)

    def _judge(self, page: str, key: Key, thing: Any, *, began: float, as_of: datetime | None) -> None:
        seen, ledger = self.seen[page], self.day.ledger

        def is_it(true: Any) -> bool:
            return _is_same(true, thing)

        if as_of is not None:
            seen.saved += 1
            late = ledger.age(key, is_it, as_of.timestamp())
            seen.dishonest += late > _MARGIN
        else:
            late = ledger.age(key, is_it, began)
            seen.oldest = max(seen.oldest, late)
            seen.older += late > self.promises[page] + _MARGIN
        floor = ledger.floor(key, began)
        is_behind = key[2] not in self.day.moved and ledger.age(key, is_it, floor) > _MARGIN
        seen.behind += is_behind
        if is_behind or late > (_MARGIN if as_of else self.promises[page] + _MARGIN):
            what = "behind a hook" if is_behind else f"{late:.1f} s old"
            self.examples.append(f"{page}, {key[0]} {key[2]}: {what}{' of its own time' if as_of else ''}")

    async def _list(self, billing_services: BillingServices, customer: Customer) -> Shown:
        found = await billing_services.billing.invoices_for(customer, _ALL)
        self.seen["list"].sums += not _adds_up(found.listing)
        return Shown(self._bills(customer, {one.id: one for one in found.listing.rows}), found.as_of)

    async def _text(self, billing_services: BillingServices, customer: Customer) -> Shown:
        read = json.loads(await billing_services.billing.invoices_bytes(customer, _ALL, _written))
        rows = [INVOICE.validate_python(row) for row in read["rows"]]
        as_of = datetime.fromisoformat(read["as_of"]) if read["as_of"] else None
        return Shown(self._bills(customer, {one.id: one for one in rows}), as_of)

    async def _invoice(self, billing_services: BillingServices, customer: Customer) -> Shown:
        known = sorted(self.day.ledger.keys("bill", customer.whmcs_client_id))
        key = self.chance.choice(known[-3:] if self.chance.random() < 0.5 else known)
        try:
            found = await billing_services.billing.invoice_for(customer, key[2])
        except NotFound:
            return Shown({key: None})
        return Shown({key: found.invoice}, found.as_of)

    async def _services(self, billing_services: BillingServices, customer: Customer) -> Shown:
        found = await billing_services.subscriptions.subscriptions_for(customer)
        return Shown(self._all("service", customer, {one.id: one for one in found.rows}), found.as_of)

    async def _cards(self, billing_services: BillingServices, customer: Customer) -> Shown:
        found = await billing_services.payments.payment_methods_for(customer)
        return Shown({("cards", customer.whmcs_client_id, 0): found})

    async def _money(self, billing_services: BillingServices, customer: Customer) -> Shown:
        found = await billing_services.payments.transactions_for(customer)
        return Shown({("money", customer.whmcs_client_id, 0): found})

    def _bills(self, customer: Customer, rows: dict[int, Invoice]) -> dict[Key, Any]:
        return self._all("bill", customer, rows)

    def _all(self, kind: Kind, customer: Customer, rows: dict[int, Any]) -> dict[Key, Any]:
        """Return what is shown of everything a customer has or ever had; None for what is not shown."""
        known = self.day.ledger.keys(kind, customer.whmcs_client_id)
        return {key: rows.get(key[2]) for key in known | {(kind, customer.whmcs_client_id, one) for one in rows}}


def promises_of(settings: Settings, *, slowest: float) -> dict[str, float]:
    """Return how old what each page shows as fresh may be.

    Cards and payments are stored when their read ends, which takes `slowest` seconds at most; a request for an invoice
    that is being read is answered by that read.
    """
    return {
        "list": settings.cache_invoices_seconds,
        "text": settings.cache_invoices_seconds,
        "invoice": settings.cache_invoice_seconds + slowest,
        "services": settings.cache_subscriptions_seconds,
        "cards": settings.cache_payment_methods_seconds + slowest,
        "money": settings.cache_invoice_seconds + slowest,
    }


def _is_same(true: Any, shown: Any) -> bool:
    if isinstance(shown, Invoice):
        return as_shown(true, shown) == replace(shown, updated_at=None)
    return bool(true == shown)


def _adds_up(listing: InvoiceListing) -> bool:
    due = Money.total(one.owed for one in listing.rows)
    return listing.count == len(listing.rows) and listing.owed.due == due


def _written(found: Invoices) -> bytes:
    rows = [INVOICE.dump_python(one, mode="json") for one in found.listing.rows]
    return json.dumps({"rows": rows, "as_of": found.as_of.isoformat() if found.as_of else ""}).encode()
