"""Queries of the invoice mirror: pages, sums and single ones, all in SQL, for lists of five thousand rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import InvoiceListing, InvoiceQuery, Owed
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import today
from portal_app.infra.database.database import Database
from portal_app.models.mirror import InvoiceMirror
from portal_app.services.billing.invoice_mirror import INVOICE

_SORTS: dict[str, Any] = {
    "issued": col(InvoiceMirror.issued_on),
    "due": col(InvoiceMirror.due_on),
    "total": col(InvoiceMirror.total_minor),
    "number": col(InvoiceMirror.label),
}


@dataclass(frozen=True, slots=True)
class SavedInvoice:
    """One invoice of the mirror, whether its lines are known, and when it was read."""

    invoice: Invoice
    is_full: bool
    read_at: datetime


class InvoiceLists:
    """Query the mirror of a customer's invoices."""

    def __init__(self, database: Database, *, currency: str) -> None:
        self._database = database
        self._currency = currency

    async def listing(self, customer: Customer, query: InvoiceQuery) -> InvoiceListing:
        """Return one page, and the sums over all invoices."""
        own = InvoiceMirror.belongs_to(customer.user_id)
        wanted = sa.and_(own, *_conditions(query))
        # Only ids are put in order: whole rows would not fit into the memory for sorting, the page's own do.
        ids = sa.select(col(InvoiceMirror.invoice_id)).where(wanted).order_by(*_order(query))
        ids = ids.limit(query.limit).offset((query.page - 1) * query.limit)
        # Materialised: with statistics from before this customer had invoices, the planner would sort again per row.
        page = ids.cte("page").prefix_with("MATERIALIZED")
        rows = select(InvoiceMirror.body).join(page, page.c.invoice_id == col(InvoiceMirror.invoice_id))
        rows = rows.where(own).order_by(*_order(query))
        # Rows, count and sums come from one snapshot.
        async with self._database.unit_of_work(customer=customer.user_id, is_snapshot=True) as session:
            bodies = (await session.exec(rows)).all()
            total, count, owed = await self._sums(session, own, wanted)
        return InvoiceListing(tuple(INVOICE.validate_python(body) for body in bodies), total, count, owed)

    async def one(self, customer: Customer, invoice_id: int) -> SavedInvoice | None:
        """Return one invoice, or None where it is not known."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(InvoiceMirror, (customer.user_id, invoice_id))
        if row is None or row.is_gone:
            return None
        return SavedInvoice(INVOICE.validate_python(row.body), row.is_full, row.read_at)

    async def unpaid(self, customer: Customer, *, most: int) -> list[Invoice]:
        """Return the open invoices that are to be paid first."""
        query = select(InvoiceMirror.body).where(InvoiceMirror.belongs_to(customer.user_id), InvoiceMirror.is_open())
        query = query.order_by(*InvoiceMirror.by_due_day()).limit(most)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return [INVOICE.validate_python(body) for body in (await session.exec(query)).all()]

    async def unlined(self, customer: Customer, *, most: int, settled: bool = False) -> list[int]:
        """Return open invoices whose lines are not known, newest first; settled ones too if asked."""
        query = select(InvoiceMirror.invoice_id).where(
            InvoiceMirror.belongs_to(customer.user_id), col(InvoiceMirror.is_full).is_(False)
        )
        query = query if settled else query.where(InvoiceMirror.is_open())
        query = query.order_by(col(InvoiceMirror.invoice_id).desc()).limit(most)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return list((await session.exec(query)).all())

    async def of_service(self, customer: Customer, service_id: int, *, most: int) -> list[Invoice]:
        """Return invoices with a line for a service, newest first, as far as lines are known."""
        has_line = col(InvoiceMirror.body)["lines"].contains([{"service_id": service_id}])
        query = select(InvoiceMirror.body).where(InvoiceMirror.belongs_to(customer.user_id), has_line)
        query = query.order_by(col(InvoiceMirror.issued_on).desc().nulls_last(), col(InvoiceMirror.invoice_id).desc())
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return [INVOICE.validate_python(body) for body in (await session.exec(query.limit(most))).all()]

    async def _sums(self, session: AsyncSession, own: Any, wanted: Any) -> tuple[int, int, Owed]:
        """Return how many are wanted, how many there are, and what is owed over all."""
        late = InvoiceMirror.is_overdue(today())
        count, owed = sa.func.count(), sa.func.sum(col(InvoiceMirror.owed_minor))
        sums = sa.select(
            count.filter(wanted),
            count,
            sa.func.coalesce(owed.filter(InvoiceMirror.is_open()), 0),
            sa.func.coalesce(owed.filter(late), 0),
            count.filter(InvoiceMirror.is_open()),
            count.filter(late),
        ).where(own)
        first = sa.select(col(InvoiceMirror.invoice_id), col(InvoiceMirror.due_on)).where(own, InvoiceMirror.is_open())
        first = first.order_by(*InvoiceMirror.by_due_day()).limit(1)
        connection = await session.connection()
        found, known, due, overdue, due_count, overdue_count = (await connection.execute(sums)).one()
        next_id, next_due_on = (await connection.execute(first)).first() or (None, None)
        money = Money(int(due), self._currency), Money(int(overdue), self._currency)
        return found, known, Owed(*money, due_count, overdue_count, next_id, next_due_on)


def _conditions(query: InvoiceQuery) -> list[Any]:
    found: list[Any] = []
    if query.status == "due":
        found.append(InvoiceMirror.is_open())
    elif query.status == "overdue":
        found.append(InvoiceMirror.is_overdue(today()))
    elif query.status:
        found.append(col(InvoiceMirror.status) == query.status)
    if words := query.search.strip():
        # No text of PostgreSQL's holds a NUL, so none has one in it.
        found.append(sa.false() if "\0" in words else _matches(words))
    return found


def _matches(words: str) -> Any:
    by_number = col(InvoiceMirror.label).icontains(words, autoescape=True)
    digits = words.lstrip("¥￥").replace(",", "")
    if digits.isascii() and digits.isdecimal() and len(digits) <= 12:
        return sa.or_(by_number, col(InvoiceMirror.total_minor) == int(digits))
    return by_number


def _order(query: InvoiceQuery) -> tuple[Any, Any]:
    first, last = _SORTS[query.sort], col(InvoiceMirror.invoice_id)
    if query.descending:
        return first.desc().nulls_last(), last.desc()
    return first.asc().nulls_last(), last.asc()
