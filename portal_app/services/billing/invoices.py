"""Invoices: from a mirror that is kept young, and the links that lead to paying them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import InvoiceDetail, InvoiceQuery, Invoices
from portal_app.domain.errors import ExternalError, ExternalUnavailable, NotFound
from portal_app.domain.identifiers import vendor_number
from portal_app.domain.ports.billing import InvoiceGateway
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache, CachedBytes, Entry, count_stale
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.deadline import deadline
from portal_app.services.billing.invoice_mirror import INVOICE, INVOICES, InvoiceMirrorWriter
from portal_app.services.billing.invoice_queries import InvoiceLists, SavedInvoice
from portal_app.services.billing.whmcs_sso import WhmcsSso
from portal_app.services.mirrors.freshness import Freshness, FreshnessPolicy

# How many invoices of unknown lines a look at a service reads, and how many of its own it shows.
_LINES_AT_ONCE, _MOST_OF_SERVICE = 8, 12


def invoices_tag(user_id: UUID) -> str:
    """The cache tag of everything about a customer's invoices."""
    return f"invoices:{user_id}"


class Billing:
    """What a customer owes."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        cache: Cache,
        gateway: InvoiceGateway,
        *,
        live: LiveUpdates,
        sso: WhmcsSso,
    ) -> None:
        self._settings = settings
        self._cache = cache
        self._live = live
        self._gateway = gateway
        self._sso = sso
        self._keeper = InvoiceMirrorWriter(database)
        self.freshness = Freshness(INVOICES, self._read_all, database=database, cache=cache, live=live)
        self.lists = InvoiceLists(database, currency=settings.whmcs_currency)

    async def invoices_for(self, customer: Customer, query: InvoiceQuery | None = None) -> Invoices:
        """Return a page of invoices; saved ones when WHMCS is slow or away. Raises ExternalUnavailable without."""
        seen = await self.freshness.get_fresh(customer, self._wish())
        return Invoices(await self.lists.listing(customer, query or InvoiceQuery()), as_of=seen.as_of)

    async def invoices_text(self, customer: Customer, query: InvoiceQuery, write: Callable[[Invoices], bytes]) -> bytes:
        """Return a page of invoices as `write` writes it, kept as long as the list is; saved data are not kept."""

        async def compute() -> CachedBytes:
            seen = await self.freshness.get_fresh(customer, self._wish())
            found = Invoices(await self.lists.listing(customer, query), as_of=seen.as_of)
            # Kept as long as the list is: what it was written from has an age already.
            return CachedBytes(write(found), seen.seconds_left(self._settings.cache_invoices_seconds))

        return await self._cache.get_or_set_bytes(self.entry_of(customer.user_id, query), compute)

    @staticmethod
    def entry_of(user_id: UUID, query: InvoiceQuery) -> Entry:
        """Return what the written page of a question is kept under."""
        return Entry(f"invoices:{user_id}:{query.key}", (invoices_tag(user_id),))

    async def invoice_for(self, customer: Customer, invoice_id: int) -> InvoiceDetail:
        """Return one invoice with lines and payments. Raises NotFound, also for somebody else's."""
        invoice_id = vendor_number(invoice_id)
        saved = await self.lists.one(customer, invoice_id)
        if saved and saved.is_full and await self._is_young(customer, saved.read_at):
            return InvoiceDetail(saved.invoice)
        try:
            async with deadline(self._settings.mirror_patience_seconds, vendor="whmcs"):
                return InvoiceDetail(await self._read_invoice(customer, invoice_id))
        except ExternalError as error:
            count_stale()
            if saved is None:
                raise await self._unknown(customer) from error
            return InvoiceDetail(saved.invoice, as_of=saved.read_at)

    async def invoices_of_service(self, customer: Customer, service_id: int, *, anew: bool) -> list[Invoice]:
        """Return the newest invoices for a service. Which ones are, their lines say: `anew` reads some unknown ones.

        Otherwise, and while WHMCS is slow or away, those whose lines are known.
        """
        if anew:
            with suppress(ExternalError):
                async with deadline(self._settings.mirror_patience_seconds, vendor="whmcs"):
                    await self._read_lines(customer)
        return await self.lists.of_service(customer, service_id, most=_MOST_OF_SERVICE)

    async def pay_link(self, customer: Customer, invoice_id: int) -> str:
        """Return a single-use link to WHMCS's page of an invoice. Raises NotFound for somebody else's."""
        await self._ensure_own(customer, invoice_id)
        return await self._sso.link(customer, f"viewinvoice.php?id={invoice_id}")

    async def pdf_link(self, customer: Customer, invoice_id: int) -> str:
        """Return a single-use link to an invoice's PDF at WHMCS. Raises NotFound for somebody else's."""
        await self._ensure_own(customer, invoice_id)
        return await self._sso.link(customer, f"dl.php?type=i&id={invoice_id}")

    async def invoices_changed(self, customer: Customer) -> None:
        """Have the invoices read anew next time: something changed at WHMCS."""
        await self.freshness.mark_stale(customer)
        await self._cache.invalidate(invoices_tag(customer.user_id))

    async def read_invoice_again(self, customer: Customer, invoice_id: int) -> bool:
        """Read one invoice from WHMCS now; return whether it changed or is gone. Raises as the gateway does."""
        _, is_news = await self._read_once(customer, invoice_id)
        return is_news

    async def _ensure_own(self, customer: Customer, invoice_id: int) -> None:
        """Make sure that an invoice is this customer's; what is saved does. Raises NotFound, ExternalUnavailable."""
        if await self.lists.one(customer, vendor_number(invoice_id)) is None:
            await self.invoice_for(customer, invoice_id)

    async def _read_lines(self, customer: Customer) -> None:
        await self.freshness.get_fresh(customer, self._wish())
        unknown = await self.lists.unlined(customer, most=_LINES_AT_ONCE, settled=True)
        # One that is gone meanwhile, or not to be had, leaves the others.
        await asyncio.gather(*(self._read_invoice(customer, each) for each in unknown), return_exceptions=True)

    def _wish(self) -> FreshnessPolicy:
        seconds = self._settings.mirror_patience_seconds
        return FreshnessPolicy(self._settings.cache_invoices_seconds, seconds, seconds)

    async def _read_all(self, customer: Customer, asked_at: datetime) -> bool:
        found = await self._gateway.invoices(customer.whmcs_client_id)
        is_news = await self._keeper.keep_all(customer, found, asked_at=asked_at)
        if is_news:
            await self._cache.invalidate(invoices_tag(customer.user_id))
        return is_news

    async def _read_invoice(self, customer: Customer, invoice_id: int) -> Invoice:
        """Read one invoice, once for all who ask; it goes on when they have stopped waiting."""

        async def read() -> object:
            invoice, is_news = await self._read_once(customer, invoice_id)
            if is_news:
                # Whoever hears of the same change later finds nothing new: it is told here or never.
                await self._live.publish(Change(customer.user_id, "billing", str(invoice_id)))
            if invoice is None:
                raise NotFound("not the customer's invoice")
            return INVOICE.dump_python(invoice, mode="json")

        return INVOICE.validate_python(
            await self._cache.get_or_set(f"invoice:{customer.user_id}:{invoice_id}", read, seconds=0)
        )

    async def _read_once(self, customer: Customer, invoice_id: int) -> tuple[Invoice | None, bool]:
        """Read one invoice and keep it; return what is known now, None where it is gone, and whether that was news.

        A later reading may have been quicker: then that is what is known. A quicker list tells that it changed since,
        but no lines: it is read once more.
        """
        saved, is_news = await self._read_and_keep(customer, invoice_id)
        if saved is not None and not saved.is_full:
            saved, is_more = await self._read_and_keep(customer, invoice_id)
            is_news |= is_more
        if is_news:
            await self._cache.invalidate(invoices_tag(customer.user_id))
        return saved.invoice if saved else None, is_news

    async def _read_and_keep(self, customer: Customer, invoice_id: int) -> tuple[SavedInvoice | None, bool]:
        asked_at = await self.freshness.clock()
        try:
            invoice = await self._gateway.invoice(customer.whmcs_client_id, invoice_id)
        except NotFound:
            return None, await self._keeper.forget(customer, invoice_id, asked_at=asked_at)
        is_news = await self._keeper.keep_one(customer, invoice, asked_at=asked_at)
        return await self.lists.one(customer, invoice_id), is_news

    async def _is_young(self, customer: Customer, read_at: datetime) -> bool:
        if now() - read_at > timedelta(seconds=self._settings.cache_invoice_seconds):
            return False
        return not (await self.freshness.age(customer, 0)).is_stale_since(read_at)

    async def _unknown(self, customer: Customer) -> Exception:
        """Say that there is no such invoice where the whole list is known; otherwise that we cannot tell."""
        seen = await self.freshness.age(customer, 0)
        return NotFound("not in the mirror") if seen.read_at else ExternalUnavailable("no mirror", vendor="whmcs")
