"""Invoices: from a mirror that is updated when it is old, and the links that lead to paying them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import InvoiceDetail, InvoiceQuery, Invoices
from portal_app.domain.errors import ExternalError, ExternalUnavailable, NotFound, Unreadable
from portal_app.domain.identifiers import vendor_number
from portal_app.domain.ports.billing import InvoiceGateway
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache, CachedBytes, Entry, count_stale
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.redis.tags import invoices_tag
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.deadline import deadline
from portal_app.models.mirror import is_fresh
from portal_app.services.billing.invoice_mirror import INVOICES, InvoiceMirrorWriter
from portal_app.services.billing.invoice_queries import InvoiceLists, SavedInvoice
from portal_app.services.billing.whmcs_sso import WhmcsSso
from portal_app.services.mirrors.cached_reads import CachedReads, SavedRead
from portal_app.services.mirrors.freshness import Freshness, MirrorAge

# How many invoices without lines the page of a service reads, and how many of the service's it shows.
_LINES_AT_ONCE, _MOST_OF_SERVICE = 8, 12


@dataclass(frozen=True, slots=True)
class _Known:
    """What the mirror has of one invoice, and whether that is complete and fresh."""

    saved: SavedInvoice | None
    is_fresh: bool


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
        self._gateway = gateway
        self._sso = sso
        self._writer = InvoiceMirrorWriter(database)
        self._reads = CachedReads(settings, cache, live)
        self.freshness = Freshness(
            INVOICES, self._read_all, settings=settings, database=database, cache=cache, live=live
        )
        self.lists = InvoiceLists(database, currency=settings.whmcs_currency)

    async def invoices_for(self, customer: Customer, query: InvoiceQuery | None = None) -> Invoices:
        """Return a page of invoices; saved ones when WHMCS is slow or away. Raises ExternalUnavailable without."""
        seen = await self._get_fresh(customer)
        return Invoices(await self.lists.listing(customer, query or InvoiceQuery()), as_of=seen.as_of)

    async def invoices_bytes(
        self, customer: Customer, query: InvoiceQuery, write: Callable[[Invoices], bytes]
    ) -> bytes:
        """Return a page of invoices as `write` writes it, cached while the list is fresh; older data are not cached."""

        async def compute() -> CachedBytes:
            seen = await self._get_fresh(customer)
            found = Invoices(await self.lists.listing(customer, query), as_of=seen.as_of)
            return CachedBytes(write(found), seen.seconds_left(self._settings.cache_invoices_seconds))

        return await self._cache.get_or_set_bytes(self.cache_entry(customer.user_id, query), compute)

    @staticmethod
    def cache_entry(user_id: UUID, query: InvoiceQuery) -> Entry:
        """Return the cache entry of the written page of a query."""
        return Entry(f"invoices:{user_id}:{query.key}", (invoices_tag(user_id),))

    async def invoice_for(self, customer: Customer, invoice_id: int) -> InvoiceDetail:
        """Return one invoice with lines and payments, saved ones where WHMCS is away or what it says is unreadable.

        Raises NotFound, also for somebody else's; Unreadable and ExternalUnavailable where nothing is saved.
        """
        invoice_id = vendor_number(invoice_id)
        known, error = await self._reads.get_saved(self._read_of(customer, invoice_id))
        if error is None and known.saved is None:
            raise NotFound("not the customer's invoice")
        if error is not None:
            count_stale()
        if known.saved is None:
            raise error if isinstance(error, Unreadable) else await self._unknown(customer) from error
        saved_at = known.saved.read_at if error else None
        return InvoiceDetail(known.saved.invoice, as_of=saved_at, is_unreadable=isinstance(error, Unreadable))

    async def invoices_of_service(self, customer: Customer, service_id: int, *, with_reads: bool) -> list[Invoice]:
        """Return the newest invoices that have a line for a service, as far as lines are known.

        `with_reads` first reads some invoices whose lines are unknown, unless WHMCS is slow or away.
        """
        if with_reads:
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

    async def mark_stale(self, customer: Customer) -> None:
        """Note that invoices changed at WHMCS: the next reader updates the mirror."""
        await self.freshness.mark_stale(customer)
        await self._cache.invalidate(invoices_tag(customer.user_id))

    async def read_invoice_again(self, customer: Customer, invoice_id: int) -> bool:
        """Read one invoice from WHMCS now; return whether it changed or is gone. Raises as the gateway does."""
        asked_at = await self.freshness.clock()
        found = await self._read_from_whmcs(customer, invoice_id)
        return await self.write_invoice(customer, invoice_id, found, asked_at=asked_at)

    async def write_invoice(
        self, customer: Customer, invoice_id: int, found: Invoice | None, *, asked_at: datetime
    ) -> bool:
        """Write what a read of an invoice found, None or another client's as gone; return whether that was news.

        A list that was read meanwhile may say that the invoice changed since, and has no lines: then the invoice is
        read once more. Raises as the gateway does.
        """
        is_news = await self._write(customer, invoice_id, found, asked_at)
        saved = await self.lists.one(customer, invoice_id)
        if saved is not None and not saved.is_full:
            asked_at = await self.freshness.clock()
            found = await self._read_from_whmcs(customer, invoice_id)
            is_news |= await self._write(customer, invoice_id, found, asked_at)
        if is_news:
            await self._cache.invalidate(invoices_tag(customer.user_id))
        return is_news

    async def close(self) -> None:
        """Cancel the reads that are running."""
        await asyncio.gather(self._reads.close(), self.freshness.close())

    async def _ensure_own(self, customer: Customer, invoice_id: int) -> None:
        """Check that an invoice is this customer's, in saved data first. Raises NotFound, ExternalUnavailable."""
        if await self.lists.one(customer, vendor_number(invoice_id)) is None:
            await self.invoice_for(customer, invoice_id)

    async def _read_from_whmcs(self, customer: Customer, invoice_id: int) -> Invoice | None:
        try:
            return await self._gateway.invoice(customer.whmcs_client_id, invoice_id)
        except NotFound:
            return None

    async def _write(self, customer: Customer, invoice_id: int, found: Invoice | None, asked_at: datetime) -> bool:
        if found is None or not found.is_of(customer.whmcs_client_id):
            return await self._writer.forget(customer, invoice_id, asked_at=asked_at)
        return await self._writer.write_one(customer, found, asked_at=asked_at)

    async def _read_lines(self, customer: Customer) -> None:
        await self._get_fresh(customer)
        unknown = await self.lists.unlined(customer, most=_LINES_AT_ONCE, settled=True)
        # One that is gone or cannot be read does not stop the others.
        reads = (self._reads.try_update(self._read_of(customer, each)) for each in unknown)
        await asyncio.gather(*reads, return_exceptions=True)

    async def _get_fresh(self, customer: Customer) -> MirrorAge:
        return await self.freshness.get_fresh(customer, self._settings.cache_invoices_seconds)

    async def _read_all(self, customer: Customer, asked_at: datetime) -> bool:
        found = await self._gateway.invoices(customer.whmcs_client_id)
        is_news = await self._writer.write_list(customer, found, asked_at=asked_at)
        if is_news:
            await self._cache.invalidate(invoices_tag(customer.user_id))
        return is_news

    def _read_of(self, customer: Customer, invoice_id: int) -> SavedRead["_Known"]:
        return SavedRead(
            key=f"invoice:{customer.user_id}:{invoice_id}",
            vendor="whmcs",
            load=lambda: self._load(customer, invoice_id),
            is_fresh=lambda known: known.is_fresh,
            update=lambda _: self.read_invoice_again(customer, invoice_id),
            change=Change(customer.user_id, "billing", str(invoice_id)),
        )

    async def _load(self, customer: Customer, invoice_id: int) -> "_Known":
        saved, seconds = await self.lists.one(customer, invoice_id), self._settings.cache_invoice_seconds
        if saved is None or not saved.is_full or not is_fresh(saved.read_at, seconds, at=now()):
            return _Known(saved, is_fresh=False)
        stale_at = (await self.freshness.age(customer)).stale_at
        return _Known(saved, is_fresh(saved.read_at, seconds, at=now(), stale_at=stale_at))

    async def _unknown(self, customer: Customer) -> Exception:
        """Return NotFound where the whole list is known, otherwise ExternalUnavailable."""
        seen = await self.freshness.age(customer)
        return NotFound("not in the mirror") if seen.read_at else ExternalUnavailable("no mirror", vendor="whmcs")
