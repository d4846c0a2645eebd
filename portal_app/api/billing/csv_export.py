"""Invoices as a file for spreadsheets: every cell is text or a plain number, never a formula."""

import csv
import io
from collections.abc import Iterable

from fastapi import APIRouter
from starlette.responses import Response

from portal_app.api.http.dependencies import RecentProof, SignedInCustomer
from portal_app.api.http.responses import AGE
from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import InvoiceQuery
from portal_app.language import _
from portal_app.language.format import JAPAN
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api", tags=["billing"])
_HEADINGS = ("Invoice", "Status", "Issued on", "Due on", "Paid at", "Without tax", "Tax", "Credit", "Total", "Currency")
# What spreadsheets take for the beginning of a formula, also behind white space.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_MOST = 10_000


@router.get(
    "/invoices.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "headers": AGE}},
)
async def invoices_csv(_proof: RecentProof, customer: SignedInCustomer) -> Response:
    """Return all invoices as CSV in UTF-8 with a byte order mark, newest first; times are Japan's.

    Asked for on a Japanese page, its headings are Japanese. Needs a fresh proof (POST /api/me/step-up).
    """
    found = await portal().billing.invoices.invoices_for(customer, InvoiceQuery(limit=_MOST))
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="invoices.csv"'}
    if found.as_of:
        headers["X-Data-As-Of"] = found.as_of.isoformat()
    return Response(as_csv(found.listing.rows), headers=headers, media_type="text/csv; charset=utf-8")


def as_csv(invoices: Iterable[Invoice]) -> bytes:
    """Write invoices as CSV (RFC 4180), with headings in the current language."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(map(_, _HEADINGS))
    for one in invoices:
        days = (one.issued_on, one.due_on, one.paid_at and one.paid_at.astimezone(JAPAN))
        amounts = (one.subtotal, one.tax, one.credit, one.total)
        cells = [one.label, one.status, *(day.isoformat() if day else "" for day in days)]
        writer.writerow([*map(harmless, cells), *(money.minor for money in amounts), one.total.currency])
    # Without the mark, spreadsheets guess another encoding.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def harmless(text: str) -> str:
    """Return a text that no spreadsheet runs: what would begin a formula gets an apostrophe before it."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text
