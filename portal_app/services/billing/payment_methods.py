"""How a customer pays and what was paid: stored cards and banks, gateways, transactions and credit."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

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
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.background import BackgroundTasks
from portal_app.infra.tasks.deadline import deadline, remaining_seconds
from portal_app.infra.tasks.shielded import ShieldedTasks
from portal_app.services.audit import Tag, record
from portal_app.services.billing.whmcs_sso import WhmcsSso

Value = TypeVar("Value")
_log = structlog.get_logger(__name__)
# A crowd of readings for which nobody waits would hold up those who do wait.
_UNWATCHED_AT_ONCE = 2
_CLOSING_SECONDS = 2.0
# Who keeps a page open for longer than this without a look at anything is signed out.
_SHOWN_SECONDS = 24 * 3600
_METHODS = TypeAdapter(list[PaymentMethod])
_GATEWAYS = TypeAdapter(list[PaymentGateway])
_TRANSACTIONS = TypeAdapter(list[Transaction])


_CREDIT = TypeAdapter(Credit)


@dataclass(frozen=True, slots=True)
class _Known(Generic[Value]):
    """Something of a customer that is kept for a while: under which tag, in which form, and how it is read."""

    tag: str
    kind: TypeAdapter[Value]
    read: Callable[[], Awaitable[Value]]

    @property
    def shown_key(self) -> str:
        """Under what it is noted which answer was given last."""
        return f"shown:{self.tag}"


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
        self._unwatched = BackgroundTasks(_UNWATCHED_AT_ONCE)
        self._writes = ShieldedTasks()

    async def payment_methods_for(self, customer: Customer) -> list[PaymentMethod]:
        """Return the stored cards and banks. Raises ExternalUnavailable."""
        return await self._kept(self._methods(customer), seconds=self._settings.cache_payment_methods_seconds)

    async def known_methods(self, customer: Customer) -> list[PaymentMethod] | None:
        """Return the stored cards and banks if they are known right now; else they are read, and open pages told."""
        tag = methods_tag(customer.user_id)
        kept = await self._cache.peek(tag, tags=(tag,))
        if kept is not None:
            return _METHODS.validate_python(kept)
        self._unwatched.start(customer.user_id, partial(self._read_unwatched, customer))
        return None

    async def _read_unwatched(self, customer: Customer) -> None:
        try:
            found = await self.payment_methods_for(customer)
        except PortalError as error:
            _log.debug("payments.not_read", error=error.code)
            return
        tag = methods_tag(customer.user_id)
        # Where it could not be kept, the page that is told would only begin the next reading.
        if found and await self._cache.peek(tag, tags=(tag,)) is not None:
            await self._live.publish(Change(customer.user_id, "billing"))

    async def close(self) -> None:
        """Break off the readings for which nobody waits; let changes end."""
        await asyncio.gather(self._unwatched.close(), self._writes.close(seconds=_CLOSING_SECONDS))

    async def gateways(self) -> list[PaymentGateway]:
        """Return the ways to pay that are switched on. Raises ExternalUnavailable."""
        gateways = _Known("payment-gateways", _GATEWAYS, self._gateway.gateways)
        return await self._kept(gateways, seconds=self._settings.cache_gateways_seconds)

    async def transactions_for(self, customer: Customer) -> list[Transaction]:
        """Return all payments and refunds, newest first. Raises ExternalUnavailable."""
        return await self._kept(self._transactions(customer), seconds=self._settings.cache_invoice_seconds)

    async def credit_for(self, customer: Customer) -> Credit:
        """Return the credit that is left and its history. Raises ExternalUnavailable."""
        return await self._kept(self._credit(customer), seconds=self._settings.cache_invoice_seconds)

    async def make_default(self, customer: Customer, method_id: int) -> None:
        """Make a stored method the one to charge. Raises NotFound, also for another customer's.

        Raises OutcomeUnknown while WHMCS is slow about it: it goes on, and open pages are told when it is done.
        """
        await self._carry_out(customer, self._make_default(customer, method_id))

    async def remove(self, customer: Customer, method_id: int) -> None:
        """Delete a stored method. Raises NotFound, also when it is gone already or another customer's.

        Raises OutcomeUnknown as `make_default` does.
        """
        await self._carry_out(customer, self._remove(customer, method_id))

    async def _carry_out(self, customer: Customer, change: Coroutine[Any, Any, None]) -> None:
        """Wait for a change no longer than for a page; it goes on, and open pages are told how it ended."""
        is_late = False

        async def write() -> None:
            try:
                await change
            except PortalError as error:
                if is_late:
                    _log.warning("payments.not_changed", error=error.code)
                    await self._tell(customer)
                raise

        try:
            async with asyncio.timeout(remaining_seconds(self._settings.mirror_patience_seconds)):
                await self._writes.run(write())
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
            # Somebody was quicker: the page shall show so.
            await self.forget_payment_methods(customer)
            raise
        await self._changed(customer, Tag.METHOD_REMOVED, method_id)

    async def add_card_link(self, customer: Customer, *, back_to: str) -> str:
        """Return a single-use link to WHMCS's payment methods; `back_to` is an address of ours."""
        await self.forget_payment_methods(customer)
        return await self._sso.link(customer, f"index.php/account/paymentmethods?return={quote(back_to, safe='')}")

    async def forget_payment_methods(self, customer: Customer) -> None:
        """Read the payment methods anew next time: the customer may just have added one at WHMCS."""
        await self._cache.invalidate(methods_tag(customer.user_id))

    async def methods_changed(self, customer: Customer) -> bool:
        """Read the payment methods anew next time; return whether that is news to who saw them. As the gateway raises.

        WHMCS keeps no time of them that could tell whether this was our own change: what was shown does.
        """
        return await self._is_news(self._methods(customer))

    async def money_changed(self, customer: Customer) -> bool:
        """Read transactions and credit anew next time; return whether that is news to who saw them."""
        changed = [await self._is_news(known) for known in (self._transactions(customer), self._credit(customer))]
        return any(changed)

    async def _is_news(self, known: "_Known[Any]") -> bool:
        """Say whether what was shown lately is not so any more; what nobody looked at is not even read."""
        await self._cache.invalidate(known.tag)
        shown = await self._cache.peek(known.shown_key)
        return shown is not None and shown != _print_of(await self._read(known))

    async def _kept(self, known: "_Known[Value]", *, seconds: int) -> Value:
        async def read() -> object:
            return await self._read(known)

        # Nobody waits longer than for a page; the reading goes on and is kept for the next try.
        async with deadline(self._settings.mirror_patience_seconds, vendor="whmcs"):
            kept = await self._cache.get_or_set(known.tag, read, seconds=seconds, tags=(known.tag,))
        return known.kind.validate_python(kept)

    async def _read(self, known: "_Known[Any]") -> object:
        """Read it from WHMCS, and note what is shown from now on."""
        found: object = known.kind.dump_python(await known.read(), mode="json")
        await self._cache.put(known.shown_key, _print_of(found), seconds=_SHOWN_SECONDS)
        return found

    def _methods(self, customer: Customer) -> "_Known[list[PaymentMethod]]":
        client_id = customer.whmcs_client_id
        return _Known(methods_tag(customer.user_id), _METHODS, lambda: self._gateway.payment_methods(client_id))

    def _transactions(self, customer: Customer) -> "_Known[list[Transaction]]":
        client_id = customer.whmcs_client_id
        return _Known(f"transactions:{customer.user_id}", _TRANSACTIONS, lambda: self._gateway.transactions(client_id))

    def _credit(self, customer: Customer) -> "_Known[Credit]":
        client_id = customer.whmcs_client_id
        return _Known(f"credit:{customer.user_id}", _CREDIT, lambda: self._gateway.credit(client_id))

    async def _changed(self, customer: Customer, tag: Tag, method_id: int) -> None:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            record(session, tag, user_id=customer.user_id, actor="you", detail={"method": str(method_id)})
        await self._tell(customer)

    async def _tell(self, customer: Customer) -> None:
        """Have open pages show what is so now."""
        await self.forget_payment_methods(customer)
        await self._live.publish(Change(customer.user_id, "billing"))


def _print_of(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def methods_tag(user_id: UUID) -> str:
    """Return the cache tag of a customer's payment methods."""
    return f"payment-methods:{user_id}"
