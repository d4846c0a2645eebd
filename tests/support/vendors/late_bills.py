"""A billing system in memory that changes, sends hooks and delays answers, so that answers overtake each other."""

import asyncio
import random
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count

from portal_app.domain.billing.invoice import Invoice, InvoiceLine, InvoiceStatus, Payment
from portal_app.domain.errors import NotFound
from portal_app.domain.money import Money
from portal_app.domain.subscriptions.billing_cycle import BillingCycle
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now
from tests.support.vendors.fake_vendors import listed

IDS = count(50_000)
Hook = tuple[str, dict[str, int]]


def bill(client_id: int, *, total: int = 1078, status: InvoiceStatus = "unpaid", due_on: date | None = None) -> Invoice:
    """Return an invoice in full."""
    lines = (InvoiceLine("SIM", Money(total), taxed=True),)
    number = next(IDS)
    return Invoice(
        number, f"2026-{number}", client_id, status, date(2026, 1, 1), due_on, None, Money(total), Money(0), Money(0),
        Money(total), balance=Money(total), lines=lines, updated_at=now(),
    )  # fmt: skip


def service(client_id: int, *, name: str = "SIM 5GB") -> Subscription:
    """Return an active service."""
    number = next(IDS)
    return Subscription(
        number,
        client_id,
        1,
        number,
        name,
        "SIM",
        "active",
        BillingCycle.MONTHLY,
        Money(980),
        Money(980),
        date(2026, 1, 1),
        None,
    )


@dataclass
class DelayedWhmcs:
    """Answers are read at the call or later and arrive after that; `is_late` holds them until they are released."""

    chance: random.Random
    clients: list[int]
    bills: dict[int, Invoice] = field(default_factory=dict)
    services: dict[int, Subscription] = field(default_factory=dict)
    is_late: bool = False
    invoice_reads: int = 0
    held: list[asyncio.Future[None]] = field(default_factory=list)
    has_held: asyncio.Event = field(default_factory=asyncio.Event)

    async def invoices(self, client_id: int) -> list[Invoice]:
        await self._pause()
        found = [listed(one) for one in self.bills.values() if one.client_id == client_id]
        await self._pause()
        return found

    async def invoice(self, client_id: int, invoice_id: int) -> Invoice:
        found = await self.invoice_of_anyone(invoice_id)
        if found.client_id != client_id:
            raise NotFound
        return found

    async def subscriptions(self, client_id: int) -> list[Subscription]:
        await self._pause()
        found = [one for one in self.services.values() if one.client_id == client_id]
        await self._pause()
        return found

    async def invoice_of_anyone(self, invoice_id: int) -> Invoice:
        self.invoice_reads += 1
        await self._pause()
        found = self.bills.get(invoice_id)
        await self._pause()
        if found is None:
            raise NotFound
        return replace(found, updated_at=None)

    async def service_owner(self, service_id: int) -> int:
        return _owner(self.services.get(service_id))

    async def order_owner(self, order_id: int) -> int:
        return _owner(next((one for one in self.services.values() if one.order_id == order_id), None))

    def change(self) -> Hook:
        """Change something at random and return its hook."""
        kinds = [
            self._bill,
            self._bill,
            self._pay,
            self._pay_part,
            self._cancel,
            self._move,
            self._serve,
            self._suspend,
        ]
        return self.chance.choice([*kinds, self._delete, self._end])()

    def _bill(self) -> Hook:
        made = bill(self.chance.choice(self.clients), total=self.chance.randint(100, 9000))
        self.bills[made.id] = made
        return "InvoiceCreated", {"invoice_id": made.id}

    def _pay(self) -> Hook:
        return "InvoicePaid", self._edit(status="paid", paid_at=now(), balance=Money(0))

    def _pay_part(self) -> Hook:
        # The list shows only the time of the change.
        return "AddInvoicePayment", self._edit(balance=Money(1), payments=(Payment(now(), "stripe", Money(5)),))

    def _cancel(self) -> Hook:
        return "InvoiceCancelled", self._edit(status="cancelled")

    def _move(self) -> Hook:
        return "UpdateInvoiceTotal", self._edit(client_id=self.chance.choice(self.clients))

    def _delete(self) -> Hook:
        gone = self.bills.pop(self.chance.choice(list(self.bills)))
        return "DeleteOrder", {"client_id": gone.client_id, "invoice_id": gone.id}

    def _serve(self) -> Hook:
        made = service(self.chance.choice(self.clients))
        self.services[made.id] = made
        return "AfterModuleCreate", {"service_id": made.id}

    def _suspend(self) -> Hook:
        one = replace(self.chance.choice(list(self.services.values())), status="suspended")
        self.services[one.id] = one
        return "AfterModuleSuspend", {"service_id": one.id}

    def _end(self) -> Hook:
        gone = self.services.pop(self.chance.choice(list(self.services)))
        self._serve()
        return "ServiceDelete", {"service_id": gone.id}

    def _edit(self, **changes: object) -> dict[str, int]:
        one = self.chance.choice(list(self.bills.values()))
        self.bills[one.id] = replace(one, updated_at=now(), **changes)
        return {"invoice_id": one.id}

    def let_go(self, place: int) -> None:
        """Release one of the held answers."""
        self.held.pop(place).set_result(None)

    async def _pause(self) -> None:
        if self.is_late:
            self.held.append(asyncio.get_running_loop().create_future())
            self.has_held.set()
            await self.held[-1]


def _owner(thing: Subscription | None) -> int:
    if thing is None:
        raise NotFound
    return thing.client_id
