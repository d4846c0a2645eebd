"""Writes the mirror of invoices: every read of WHMCS ends here, in the order in which the reads began."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.ports.listing import unreadable_in
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.models.mirror import InvoiceMirror, MirrorState

INVOICES = "invoices"
INVOICE = TypeAdapter(Invoice)
_AT_ONCE = 500
# A detail read this shortly after a change may be from before it: clocks differ, and WHMCS counts in seconds.
_MARGIN = timedelta(seconds=60)
_HEADER = ("number", "status", "issued_on", "due_on", "paid_at", "subtotal", "tax", "credit", "total")


class InvoiceMirrorWriter:
    """Write invoices. `asked_at` is when a read began, by PostgreSQL's clock: an earlier read never overwrites."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write_list(self, customer: Customer, found: list[Invoice], *, asked_at: datetime) -> bool:
        """Write a customer's whole list and delete what is not in it; return whether anything changed.

        An invoice that is in the list but could not be read stays as it was saved.
        """
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            state = await MirrorState.locked(session, customer.user_id, INVOICES)
            if state.read_at is not None and state.read_at >= asked_at:
                return False
            saved = await _rows(session, customer.user_id)
            fresh = [row for invoice in found if (row := _from_list(invoice, saved.get(invoice.id), asked_at))]
            await _write(session, customer.user_id, fresh)
            listed = {one.id for one in found} | unreadable_in(found)
            gone = [
                row.invoice_id
                for row in saved.values()
                if row.read_at < asked_at and (row.is_gone or row.invoice_id not in listed)
            ]
            await _delete(session, customer.user_id, gone)
            state.read_at = asked_at
            return bool(fresh or gone)

    async def write_one(self, customer: Customer, invoice: Invoice, *, asked_at: datetime) -> bool:
        """Write one invoice with its lines; return whether anything changed."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            state = await MirrorState.locked(session, customer.user_id, INVOICES)
            saved = await session.get(InvoiceMirror, (customer.user_id, invoice.id))
            body = _body(invoice)
            if saved is None and state.read_at is not None and state.read_at >= asked_at:
                return False
            if saved is not None and _is_newer(saved, state, body, asked_at):
                return False
            is_news = saved is None or saved.is_gone or not saved.is_full or not _is_same(saved.body, body, tuple(body))
            changed_at = saved.changed_at if saved else None
            await _write(session, customer.user_id, [_row(invoice, asked_at, is_full=True, changed_at=changed_at)])
            return is_news

    async def forget(self, customer: Customer, invoice_id: int, *, asked_at: datetime) -> bool:
        """Mark an invoice as no longer this customer's; return whether it was."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await MirrorState.locked(session, customer.user_id, INVOICES)
            saved = await session.get(InvoiceMirror, (customer.user_id, invoice_id))
            if saved is None or saved.is_gone or saved.read_at >= asked_at:
                return False
            # Not deleted: an earlier read that still runs would bring it back.
            saved.is_gone, saved.read_at = True, asked_at
            return True

    async def owners(self, invoice_id: int) -> list[UUID]:
        """Return whose mirrors hold an invoice: for events, under the worker's role."""
        query = select(InvoiceMirror.user_id).where(
            col(InvoiceMirror.invoice_id) == invoice_id, col(InvoiceMirror.is_gone).is_(False)
        )
        async with self._database.unit_of_work() as session:
            return list((await session.exec(query)).all())


def _is_newer(saved: InvoiceMirror, state: MirrorState, body: dict[str, Any], asked_at: datetime) -> bool:
    """Say whether the row was read later: by itself, or by a list that differs from this read."""
    if saved.read_at >= asked_at:
        return True
    return state.read_at is not None and state.read_at >= asked_at and not _is_same(saved.body, body, _HEADER)


def _from_list(invoice: Invoice, saved: InvoiceMirror | None, asked_at: datetime) -> dict[str, Any] | None:
    """Return the row to write for an invoice of a list, or None where the saved one has the same or more."""
    row = _row(invoice, asked_at, is_full=False, changed_at=invoice.updated_at)
    if saved is None:
        return row
    if saved.read_at >= asked_at:
        return None
    if saved.is_gone or not _is_same(saved.body, row["body"], _HEADER):
        return row
    if not saved.is_full:
        return None if saved.changed_at == invoice.updated_at else row
    # A list knows no lines: those we have stay as long as nothing changed since they were read.
    is_current = invoice.updated_at is None or invoice.updated_at < saved.read_at - _MARGIN
    return None if is_current else row


def _body(invoice: Invoice) -> dict[str, Any]:
    return dict(INVOICE.dump_python(invoice, mode="json"))


def _is_same(saved: dict[str, Any], body: dict[str, Any], names: Iterable[str]) -> bool:
    return all(saved.get(name) == body.get(name) for name in names)


def _row(invoice: Invoice, asked_at: datetime, *, is_full: bool, changed_at: datetime | None) -> dict[str, Any]:
    return {
        "invoice_id": invoice.id,
        "label": invoice.label,
        "status": invoice.status,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "total_minor": invoice.total.minor,
        "owed_minor": invoice.owed.minor,
        "body": _body(invoice),
        "is_full": is_full,
        "changed_at": changed_at,
        "read_at": asked_at,
        "is_gone": False,
    }


async def _rows(session: AsyncSession, user_id: UUID) -> dict[int, InvoiceMirror]:
    found = (await session.exec(select(InvoiceMirror).where(InvoiceMirror.user_id == user_id))).all()
    return {row.invoice_id: row for row in found}


async def _write(session: AsyncSession, user_id: UUID, rows: list[dict[str, Any]]) -> None:
    connection = await session.connection()
    for begin in range(0, len(rows), _AT_ONCE):
        some = [{"user_id": user_id, **row} for row in rows[begin : begin + _AT_ONCE]]
        write = insert(InvoiceMirror).values(some)
        new = {name: write.excluded[name] for name in some[0] if name not in ("user_id", "invoice_id")}
        await connection.execute(write.on_conflict_do_update(index_elements=["user_id", "invoice_id"], set_=new))


async def _delete(session: AsyncSession, user_id: UUID, invoice_ids: list[int]) -> None:
    if invoice_ids:
        own = (col(InvoiceMirror.user_id) == user_id, col(InvoiceMirror.invoice_id).in_(invoice_ids))
        await (await session.connection()).execute(sa.delete(InvoiceMirror).where(*own))
