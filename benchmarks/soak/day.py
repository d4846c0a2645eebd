"""A WHMCS in memory through a day: every hook point fires for what really changes, and what was true is kept."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from benchmarks.soak.ledger import Key, Ledger
from portal_app.domain.billing.invoice import Invoice, Payment, PaymentMethod, Transaction
from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.money import Money
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now
from portal_app.services.inbound.whmcs_hooks import EARLY
from tests.support.vendors.fake_vendors import CARD
from tests.support.vendors.hook_points import EXPECTED
from tests.support.vendors.late_bills import IDS, DelayedWhmcs, Hook, bill, service

_STATUSES = {
    "AcceptOrder": "active", "CancelOrder": "cancelled", "PendingOrder": "pending", "FraudOrder": "fraud",
    "CancelAndRefundOrder": "cancelled", "AfterModuleCreate": "active", "AfterModuleSuspend": "suspended",
    "AfterModuleUnsuspend": "active", "AfterModuleTerminate": "terminated", "ServiceRecurringCompleted": "completed",
    "AddonTerminated": "active", "CancellationRequest": "cancelled",
}  # fmt: skip
_BILLS: dict[str, dict[str, Any]] = {
    "InvoiceUnpaid": {"status": "unpaid", "paid_at": None},
    "InvoiceCancelled": {"status": "cancelled"},
    "InvoiceRefunded": {"status": "refunded"},
}
# How many clients are busy, how much of everything happens to them, and how often another one becomes busy.
_BUSY, _SHARE, _CHANGES = 2, 0.8, 0.02
Change = Callable[[], None]
Thing = TypeVar("Thing", Invoice, Subscription)


@dataclass
class WholeDay(DelayedWhmcs):
    """The billing system; `ledger` knows every state it ever had. `is_away` lets every call fail.

    Much happens to the few clients who are `busy`, and to few of their things: hooks about one thing come together.
    """

    cards: dict[int, list[PaymentMethod]] = field(default_factory=dict)
    paid: dict[int, list[Transaction]] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    ledger: Ledger = field(default_factory=Ledger)
    is_away: bool = False
    busy: list[int] = field(default_factory=list)
    _noted: dict[Key, Any] = field(default_factory=dict)

    def begin(self, *, bills: int, services: int) -> None:
        """Give every client some bills, services and a card."""
        for client_id in self.clients:
            self.bills |= {one.id: one for one in (bill(client_id) for _ in range(bills))}
            self.services |= {one.id: one for one in (service(client_id) for _ in range(services))}
            self.cards[client_id], self.paid[client_id] = [CARD], []
        self.busy = self.chance.sample(self.clients, _BUSY)
        self._note()

    async def payment_methods(self, client_id: int) -> list[PaymentMethod]:
        """Return the stored cards of a client."""
        await self._pause()
        found = self.cards[client_id]
        await self._pause()
        return found

    async def transactions(self, client_id: int) -> list[Transaction]:
        """Return what a client paid."""
        await self._pause()
        found = self.paid[client_id]
        await self._pause()
        return found

    def happen(self, kind: str) -> Hook:
        """Let something happen that a hook of this kind tells of, and return the hook.

        Where WHMCS fires it before the change, the change comes a little later.
        """
        if self.chance.random() < _CHANGES:
            self.busy[self.chance.randrange(_BUSY)] = self.chance.choice(self.clients)
        ids, change = self._about(kind)
        if kind in EARLY:
            asyncio.get_running_loop().call_later(self.chance.uniform(0, 0.3), self._carry_out, change)
        else:
            self._carry_out(change)
        return kind, {name: ids[name] for name in EXPECTED[kind][0]}

    def owner_of(self, ids: dict[str, int]) -> int | None:
        """Return the client that a hook is about, as things stand."""
        things = (self.bills.get(ids.get("invoice_id", 0)), self.services.get(ids.get("service_id", 0)))
        ordered = next((one for one in self.services.values() if one.order_id == ids.get("order_id")), None)
        found = [ids.get("client_id"), *(one.client_id for one in (*things, ordered) if one)]
        return next((client_id for client_id in found if client_id), None)

    def _carry_out(self, change: Change) -> None:
        change()
        self._note()

    def _about(self, kind: str) -> tuple[dict[str, int], Change]:
        one, invoice = self._some_service(), self._some_bill()
        if kind in ("InvoiceCreated", "InvoiceSplit", "AfterShoppingCartCheckout"):
            return self._made(kind, invoice)
        if kind in ("InvoicePaid", "OrderPaid", "AddInvoicePayment", "AddTransaction"):
            return self._payment(kind, invoice)
        if "invoice_id" in EXPECTED[kind][0]:
            return _ids(invoice, one), lambda: self._edit_bill(invoice, **self._bill_changes(kind))
        if kind in ("ServiceDelete", "DeleteOrder"):
            return _ids(invoice, one), lambda: self._remove(one)
        if kind == "CCUpdate" or "Client" in kind:
            return self._about_client(kind, self.chance.choice(self.clients))
        return _ids(invoice, one), lambda: self._edit_service(one, **self._service_changes(kind))

    def _made(self, kind: str, old: Invoice) -> tuple[dict[str, int], Change]:
        client_id = old.client_id if kind == "InvoiceSplit" else self.chance.choice(self.clients)
        made, served = bill(client_id, total=self.chance.randint(100, 9000)), service(client_id)

        def change() -> None:
            self.bills[made.id] = made
            if kind == "InvoiceSplit":
                self._edit_bill(old, total=Money(77), balance=Money(77))
            elif kind == "AfterShoppingCartCheckout":
                self.services[served.id] = served

        split = kind == "InvoiceSplit"
        ids = _ids(old if split else made, served) | {"new_invoice_id": made.id}
        return ids, change

    def _payment(self, kind: str, invoice: Invoice) -> tuple[dict[str, int], Change]:
        client_id = invoice.client_id
        own = [one for one in self.services.values() if one.client_id == client_id]
        served = self.chance.choice(own) if own else self._some_service()

        def change() -> None:
            self.paid[client_id] = [_transaction(invoice), *self.paid[client_id]][:20]
            if kind in ("AddInvoicePayment", "AddTransaction"):
                # The list shows nothing of it but the time of the change.
                self._edit_bill(invoice, balance=Money(1), payments=(Payment(now(), "stripe", Money(5)),))
                return
            self._edit_bill(invoice, status="paid", paid_at=now(), balance=Money(0))
            if own:
                later = (served.next_due_on or now().date()) + timedelta(days=30)
                self._edit_service(served, next_due_on=later)

        return _ids(invoice, served) | {"client_id": client_id}, change

    def _about_client(self, kind: str, client_id: int) -> tuple[dict[str, int], Change]:
        other = self.chance.choice(self.clients)

        def change() -> None:
            if kind == "CCUpdate":
                self.cards[client_id] = [replace(CARD, last_four=f"{self.chance.randrange(10_000):04}")]
            elif kind == "ClientEdit":
                self.paid[client_id] = [_transaction(None), *self.paid[client_id]][:20]
            elif kind == "ClientClose":
                for one in self._services_of(client_id):
                    self._edit_service(one, status="terminated")
            elif kind == "PreDeleteClient":
                for number in [one.id for one in self.bills.values() if one.client_id == client_id][5:]:
                    del self.bills[number]
            elif kind == "AfterClientMerge" and other != client_id:
                self._merge(other, client_id)

        return {"client_id": client_id}, change

    def _merge(self, from_client: int, into: int) -> None:
        for one in [one for one in self.bills.values() if one.client_id == from_client][:3]:
            self.moved.add(one.id)
            self._edit_bill(one, client_id=into)

    def _remove(self, one: Subscription) -> None:
        if len(self._services_of(one.client_id)) > 1:
            self.services.pop(one.id, None)

    def _bill_changes(self, kind: str) -> dict[str, Any]:
        own = Money(self.chance.randint(100, 9000))
        changes = {
            "InvoiceChangeGateway": {"gateway": self.chance.choice(["stripe", "banktransfer", "paypal"])},
            "UpdateInvoiceTotal": {"subtotal": own, "total": own, "balance": own},
            "AddInvoiceLateFee": {"subtotal": own, "total": own, "balance": own},
        }
        return {**_BILLS, **changes}[kind]

    def _service_changes(self, kind: str) -> dict[str, Any]:
        if status := _STATUSES.get(kind):
            return {"status": status}
        return {"recurring": Money(self.chance.randint(100, 9000)), "name": f"SIM {self.chance.randint(1, 99)}GB"}

    def _edit_bill(self, one: Invoice, **changes: Any) -> None:
        if one.id in self.bills:
            self.bills[one.id] = replace(self.bills[one.id], updated_at=now(), **changes)

    def _edit_service(self, one: Subscription, **changes: Any) -> None:
        if one.id in self.services:
            self.services[one.id] = replace(self.services[one.id], **changes)

    def _services_of(self, client_id: int) -> list[Subscription]:
        return [one for one in self.services.values() if one.client_id == client_id]

    def _some_bill(self) -> Invoice:
        return self.chance.choice(self._of_the_busy(self.bills) or list(self.bills.values()))

    def _some_service(self) -> Subscription:
        return self.chance.choice(self._of_the_busy(self.services) or list(self.services.values()))

    def _of_the_busy(self, things: dict[int, Thing]) -> list[Thing]:
        """Return the newest things of a client who is busy, more often than not."""
        if self.chance.random() > _SHARE:
            return []
        client_id = self.chance.choice(self.busy)
        return [one for one in things.values() if one.client_id == client_id][-1:]

    def _note(self) -> None:
        """Write down what is otherwise than when this was last done."""
        present = dict(self._things())
        for key in self._noted.keys() - present.keys():
            self.ledger.note(key, None)
        for key, thing in present.items():
            if self._noted.get(key) is not thing:
                self.ledger.note(key, thing)
        self._noted = present

    def _things(self) -> Iterator[tuple[Key, Any]]:
        yield from ((("bill", one.client_id, one.id), one) for one in self.bills.values())
        yield from ((("service", one.client_id, one.id), one) for one in self.services.values())
        yield from ((("cards", client_id, 0), cards) for client_id, cards in self.cards.items())
        yield from ((("money", client_id, 0), paid) for client_id, paid in self.paid.items())

    async def _pause(self) -> None:
        await super()._pause()
        if self.is_away:
            raise ExternalUnavailable("away", vendor="whmcs")


def _ids(invoice: Invoice, one: Subscription) -> dict[str, int]:
    return {
        "invoice_id": invoice.id, "new_invoice_id": invoice.id, "service_id": one.id, "client_id": one.client_id,
        "order_id": one.order_id or 0, "upgrade_id": 1,
    }  # fmt: skip


def _transaction(invoice: Invoice | None) -> Transaction:
    number = next(IDS)
    client_id, invoice_id = (invoice.client_id, invoice.id) if invoice else (0, None)
    return Transaction(number, client_id, invoice_id, now(), "stripe", "", Money(5), f"ch_{number}")
