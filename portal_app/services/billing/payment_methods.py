"""How a customer pays and what was paid: stored cards and banks, gateways, transactions and credit."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import quote

import structlog
from pydantic import TypeAdapter

from portal_app.domain.billing.credit import Credit
from portal_app.domain.billing.invoice import PaymentGateway, PaymentMethod, Transaction
from portal_app.domain.errors import NotFound, OutcomeUnknown, PortalError
from portal_app.domain.ports.billing import PaymentMethodGateway
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.redis.tags import PAYMENT_GATEWAYS, credit_tag, methods_tag, transactions_tag
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.deadline import remaining_seconds
from portal_app.infra.tasks.shielded import ShieldedTasks
from portal_app.services.audit import Tag, record
from portal_app.services.billing.whmcs_sso import WhmcsSso
from portal_app.services.mirrors.cached_reads import CachedRead, CachedReads, fingerprint

Value = TypeVar("Value")
_log = structlog.get_logger(__name__)
_CLOSING_SECONDS = 2.0
_METHODS = TypeAdapter(list[PaymentMethod])
_GATEWAYS = TypeAdapter(list[PaymentGateway])
_TRANSACTIONS = TypeAdapter(list[Transaction])
_CREDIT = TypeAdapter(Credit)


class Payments:
    """Stored payment methods, and the history of money. Nothing of it is mirrored: without WHMCS it is unknown."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        cache: Cache,
        gateway: PaymentMethodGateway,
        *,
        live: LiveUpdates,
        sso: WhmcsSso,
    ) -> None:
        self._settings = settings
        self._database = database
        self._cache = cache
        self._gateway = gateway
        self._live = live
        self._sso = sso
        self._reads = CachedReads(settings, cache, live)
        self._writes = ShieldedTasks()

    async def payment_methods_for(self, customer: Customer) -> list[PaymentMethod]:
        """Return the stored cards and banks. Raises ExternalUnavailable."""
        return await self._reads.get(self._methods(customer))

    async def known_methods(self, customer: Customer) -> list[PaymentMethod] | None:
        """Return the stored cards and banks if the cache has them; else they are read in the background."""
        methods = self._methods(customer)
        found = await self._reads.peek(methods)
        if found is None:
            # A page shows nothing of unknown methods, as it does of none.
            self._reads.refresh(methods, shown=[])
        return found

    async def close(self) -> None:
        """Cancel the running reads; let changes end."""
        await asyncio.gather(self._reads.close(), self._writes.close(seconds=_CLOSING_SECONDS))

    async def gateways(self) -> list[PaymentGateway]:
        """Return the ways to pay that are switched on. Raises ExternalUnavailable."""
        read, seconds = self._gateway.gateways, self._settings.cache_gateways_seconds
        key = PAYMENT_GATEWAYS
        return await self._reads.get(CachedRead(key, "whmcs", _GATEWAYS, read, seconds=seconds, tags=(key,)))

    async def transactions_for(self, customer: Customer) -> list[Transaction]:
        """Return all payments and refunds, newest first. Raises ExternalUnavailable."""
        return await self._reads.get(self._transactions(customer))

    async def credit_for(self, customer: Customer) -> Credit:
        """Return the credit that is left and its history. Raises ExternalUnavailable."""
        return await self._reads.get(self._credit(customer))

    async def make_default(self, customer: Customer, method_id: int) -> None:
        """Make a stored method the one to charge. Raises NotFound, also for another customer's.

        Raises OutcomeUnknown after the deadline: the change goes on, and open pages are told when it is done.
        """
        await self._run_change(customer, self._make_default(customer, method_id))

    async def remove(self, customer: Customer, method_id: int) -> None:
        """Delete a stored method. Raises NotFound, also when it is gone already or another customer's.

        Raises OutcomeUnknown as `make_default` does.
        """
        await self._run_change(customer, self._remove(customer, method_id))

    async def _run_change(self, customer: Customer, change: Coroutine[Any, Any, None]) -> None:
        """Wait for a change until the deadline; then it goes on, and open pages are told how it ended."""
        is_late = False

        async def write() -> None:
            try:
                await change
            except PortalError as error:
                if is_late:
                    _log.warning("payments.not_changed", error=error.code)
                    await self._publish_change(customer)
                raise

        try:
            async with asyncio.timeout(remaining_seconds(self._settings.mirror_patience_seconds)):
                await self._writes.run(write)
        except TimeoutError as error:
            is_late = True
            raise OutcomeUnknown("under way", vendor="whmcs") from error

    async def _make_default(self, customer: Customer, method_id: int) -> None:
        await self._gateway.set_default_payment_method(customer.whmcs_client_id, method_id)
        await self._changed(customer, Tag.METHOD_DEFAULT, method_id)

    async def _remove(self, customer: Customer, method_id: int) -> None:
        try:
            await self._gateway.remove_payment_method(customer.whmcs_client_id, method_id)
        except NotFound:
            # It was removed elsewhere: the next page shows so.
            await self.invalidate_methods(customer)
            raise
        await self._changed(customer, Tag.METHOD_REMOVED, method_id)

    async def add_card_link(self, customer: Customer, *, back_to: str) -> str:
        """Return a single-use link to WHMCS's payment methods; `back_to` is an address of ours."""
        await self.invalidate_methods(customer)
        return await self._sso.link(customer, f"index.php/account/paymentmethods?return={quote(back_to, safe='')}")

    async def invalidate_methods(self, customer: Customer) -> None:
        """Have the next reader ask WHMCS for the payment methods: the customer may just have added one there."""
        await self._cache.invalidate(methods_tag(customer.user_id))

    async def read_methods_again(self, customer: Customer) -> bool:
        """Invalidate the payment methods; return whether that is news to those who saw them. As the gateway raises.

        WHMCS has no time of change for them: only comparing with the last answer tells whether this is our own change.
        """
        return await self._reads.has_changed(self._methods(customer))

    async def read_money_again(self, customer: Customer) -> bool:
        """Invalidate transactions and credit; return whether that is news to those who saw them."""
        reads: tuple[CachedRead[Any], ...] = (self._transactions(customer), self._credit(customer))
        return any([await self._reads.has_changed(read) for read in reads])

    def _methods(self, customer: Customer) -> CachedRead[list[PaymentMethod]]:
        client_id, key = customer.whmcs_client_id, methods_tag(customer.user_id)
        seconds = self._settings.cache_payment_methods_seconds
        return _read_of(
            key,
            _METHODS,
            lambda: self._gateway.payment_methods(client_id),
            seconds=seconds,
            change=Change(customer.user_id, "billing"),
        )

    def _transactions(self, customer: Customer) -> CachedRead[list[Transaction]]:
        client_id, seconds = customer.whmcs_client_id, self._settings.cache_invoice_seconds
        key = transactions_tag(customer.user_id)
        return _read_of(key, _TRANSACTIONS, lambda: self._gateway.transactions(client_id), seconds=seconds)

    def _credit(self, customer: Customer) -> CachedRead[Credit]:
        client_id, seconds = customer.whmcs_client_id, self._settings.cache_invoice_seconds
        return _read_of(credit_tag(customer.user_id), _CREDIT, lambda: self._gateway.credit(client_id), seconds=seconds)

    async def _changed(self, customer: Customer, tag: Tag, method_id: int) -> None:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            record(session, tag, user_id=customer.user_id, actor="you", detail={"method": str(method_id)})
        await self._publish_change(customer)

    async def _publish_change(self, customer: Customer) -> None:
        """Invalidate the methods and have open pages read them."""
        await self.invalidate_methods(customer)
        await self._live.publish(Change(customer.user_id, "billing"))


def _read_of(
    key: str,
    kind: TypeAdapter[Value],
    read: Callable[[], Awaitable[Value]],
    *,
    seconds: int,
    change: Change | None = None,
) -> CachedRead[Value]:
    """Return a read of something of a customer's: its key is its tag, and open pages are compared with it."""
    return CachedRead(key, "whmcs", kind, read, seconds, (key,), remember=fingerprint, change=change)
