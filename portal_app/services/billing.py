"""Invoices and payment methods: read from WHMCS through the cache, answered from the mirror while it is away."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from portal_app.domain.customer import Customer
from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.identifiers import vendor_number
from portal_app.domain.invoice import Invoice, PaymentMethod
from portal_app.domain.ports import BillingGateway
from portal_app.infra.cache import Cache, count_stale
from portal_app.infra.database import Database
from portal_app.infra.settings import Settings
from portal_app.models.columns import now
from portal_app.models.mirror import InvoiceMirror
from portal_app.services.audit import Tag, record

_INVOICE = TypeAdapter(Invoice)
_INVOICES = TypeAdapter(list[Invoice])
_METHODS = TypeAdapter(list[PaymentMethod])


def invoices_tag(customer: Customer) -> str:
    """The cache tag of everything about a customer's invoices."""
    return f"invoices:{customer.user_id}"


def methods_tag(customer: Customer) -> str:
    """The cache tag of a customer's payment methods."""
    return f"payment-methods:{customer.user_id}"


@dataclass(frozen=True, slots=True)
class Invoices:
    """A customer's invoices; `as_of` is set when they are saved data because WHMCS is away."""

    rows: list[Invoice]
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class InvoiceDetail:
    """One invoice; `as_of` is set when it is saved data because WHMCS is away."""

    invoice: Invoice
    as_of: datetime | None = None


class Billing:
    """What a customer owes and how it is paid."""

    def __init__(self, settings: Settings, database: Database, cache: Cache, gateway: BillingGateway) -> None:
        self._settings = settings
        self._database = database
        self._cache = cache
        self._gateway = gateway

    async def invoices_for(self, customer: Customer) -> Invoices:
        """Return all invoices, newest first; saved ones when WHMCS is away. Raises ExternalUnavailable without."""

        async def read() -> object:
            invoices = await self._gateway.invoices(customer.whmcs_client_id)
            await self._mirror(customer, invoices, is_full=False)
            return _INVOICES.dump_python(invoices, mode="json")

        try:
            kept = await self._cache.get_or_set(
                f"invoices:{customer.user_id}",
                read,
                seconds=self._settings.cache_invoices_seconds,
                tags=(invoices_tag(customer),),
            )
            return Invoices(_INVOICES.validate_python(kept))
        except ExternalUnavailable:
            count_stale()
            return await self._saved(customer)

    async def invoice_for(self, customer: Customer, invoice_id: int) -> InvoiceDetail:
        """Return one invoice with lines and payments. Raises NotFound, also for somebody else's."""
        invoice_id = vendor_number(invoice_id)

        async def read() -> object:
            invoice = await self._gateway.invoice(customer.whmcs_client_id, invoice_id)
            await self._mirror(customer, [invoice], is_full=True)
            return _INVOICE.dump_python(invoice, mode="json")

        try:
            kept = await self._cache.get_or_set(
                f"invoice:{customer.user_id}:{invoice_id}",
                read,
                seconds=self._settings.cache_invoice_seconds,
                tags=(invoices_tag(customer),),
            )
            return InvoiceDetail(_INVOICE.validate_python(kept))
        except ExternalUnavailable:
            count_stale()
            return await self._saved_one(customer, invoice_id)

    async def payment_methods_for(self, customer: Customer) -> list[PaymentMethod]:
        """Return the stored cards and banks. Raises ExternalUnavailable."""

        async def read() -> object:
            return _METHODS.dump_python(await self._gateway.payment_methods(customer.whmcs_client_id), mode="json")

        kept = await self._cache.get_or_set(
            f"payment-methods:{customer.user_id}",
            read,
            seconds=self._settings.cache_payment_methods_seconds,
            tags=(methods_tag(customer),),
        )
        return _METHODS.validate_python(kept)

    async def pay_link(self, customer: Customer, invoice_id: int) -> str:
        """Return a single-use link to WHMCS's page of an invoice. Raises NotFound for somebody else's."""
        await self.invoice_for(customer, invoice_id)
        return await self._link(customer, f"viewinvoice.php?id={invoice_id}")

    async def add_card_link(self, customer: Customer, *, back_to: str) -> str:
        """Return a single-use link to WHMCS's payment methods; `back_to` is an address of ours."""
        await self._cache.invalidate(methods_tag(customer))
        return await self._link(customer, f"index.php/account/paymentmethods?return={quote(back_to, safe='')}")

    async def forget_payment_methods(self, customer: Customer) -> None:
        """Read the payment methods anew next time: the customer may just have added one at WHMCS."""
        await self._cache.invalidate(methods_tag(customer))

    async def refresh_invoice(self, customer: Customer) -> None:
        """Forget what is cached of a customer's invoices: WHMCS said that something changed."""
        await self._cache.invalidate(invoices_tag(customer))

    async def _link(self, customer: Customer, path: str) -> str:
        link = await self._gateway.sign_on_link(customer.whmcs_client_id, path)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            record(
                session, Tag.SIGN_ON_LINK, user_id=customer.user_id, actor="you", detail={"page": path.split("?")[0]}
            )
        return link

    async def _mirror(self, customer: Customer, invoices: list[Invoice], *, is_full: bool) -> None:
        if not invoices:
            return
        rows: list[dict[str, Any]] = [
            {
                "invoice_id": invoice.id,
                "user_id": customer.user_id,
                "body": _INVOICE.dump_python(invoice, mode="json"),
                "is_full": is_full,
                "read_at": now(),
            }
            for invoice in invoices
        ]
        write = insert(InvoiceMirror).values(rows)
        new = {"body": write.excluded.body, "is_full": write.excluded.is_full, "read_at": write.excluded.read_at}
        # A list knows less than a detail: it replaces a full row only when the status has moved on.
        changed = col(InvoiceMirror.body)["status"].astext != write.excluded.body["status"].astext
        worth = None if is_full else (col(InvoiceMirror.is_full).is_(False) | changed)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            connection = await session.connection()
            await connection.execute(write.on_conflict_do_update(index_elements=["invoice_id"], set_=new, where=worth))

    async def _saved(self, customer: Customer) -> Invoices:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            rows = await InvoiceMirror.of(session, customer.user_id)
        if not rows:
            raise ExternalUnavailable("no mirror", vendor="whmcs")
        invoices = _INVOICES.validate_python([row.body for row in rows])
        return Invoices(invoices, as_of=min(row.read_at for row in rows))

    async def _saved_one(self, customer: Customer, invoice_id: int) -> InvoiceDetail:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(InvoiceMirror, invoice_id)
        if row is None or row.user_id != customer.user_id:
            raise NotFound("not in the mirror")
        return InvoiceDetail(_INVOICE.validate_python(row.body), as_of=row.read_at)
