"""Calls and SMS of a SIM line, as JSON and as a file for spreadsheets."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from portal_app.api.billing.csv_export import harmless
from portal_app.api.http.dependencies import RecentProof, SignedInCustomer, VendorId, vendor_id
from portal_app.api.http.resource import Resource
from portal_app.api.http.responses import json
from portal_app.domain.calls.call import Call, CallMonth, NumbersShown, month_text, parse_month
from portal_app.domain.profile.customer import Customer
from portal_app.language import _
from portal_app.language.format import JAPAN
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])
Month = Annotated[
    str, Query(max_length=7, pattern=r"^(20\d\d-(0[1-9]|1[0-2]))?$", description="As 2026-11; default: the newest")
]
_HEADINGS = ("Begin", "Kind", "Number", "Seconds", "Charge in yen")


@dataclass
class CallView(Resource):
    """A call or SMS; `number` has its last four characters hidden unless whole numbers were asked for."""

    at: datetime
    kind: str
    number: str
    seconds: int
    charge_yen: int | None


@dataclass
class CallList(Resource):
    """A month in Japan, newest first, with its sums; `months` are those with records. Null: the carrier tells none."""

    month: str
    months: list[str]
    items: list[CallView]
    calls: int
    sms: int
    seconds: int
    charge_yen: int | None


@router.get("/{service_id}/sim/calls", response_model=CallList)
async def calls(
    _proof: RecentProof,
    customer: SignedInCustomer,
    service_id: VendorId,
    month: Month = "",
    numbers: NumbersShown = "masked",
) -> Response:
    """Return the calls and SMS that a line made in a month. Needs a fresh proof (POST /api/me/step-up).

    Records come by the carrier's file, some days or weeks late. Asking for whole numbers is noted in the account's
    history.
    """
    found = await _month_of(customer, service_id, month)
    if numbers == "whole":
        await portal().calls.details.note_taken(customer, vendor_id(service_id), found.month, numbers=numbers)
    return json(_list(found, numbers))


@router.get(
    "/{service_id}/sim/calls.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def calls_csv(
    _proof: RecentProof,
    customer: SignedInCustomer,
    service_id: VendorId,
    month: Month = "",
    numbers: NumbersShown = "masked",
) -> Response:
    """Return a month's calls and SMS as CSV in UTF-8 with a byte order mark, newest first; times are Japan's.

    Needs a fresh proof (POST /api/me/step-up), and is noted in the account's history.
    """
    found = await _month_of(customer, service_id, month)
    await portal().calls.details.note_taken(customer, vendor_id(service_id), found.month, numbers=numbers)
    name = f"calls-{month_text(found.month)}.csv"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(as_csv(found.calls, numbers), headers=headers, media_type="text/csv; charset=utf-8")


async def _month_of(customer: Customer, service_id: str, month: str) -> CallMonth:
    return await portal().calls.details.of_month(customer, vendor_id(service_id), parse_month(month))


def as_csv(rows: tuple[Call, ...], numbers: NumbersShown) -> bytes:
    """Write calls as CSV (RFC 4180), with headings in the current language."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(map(_, _HEADINGS))
    for one in rows:
        begin = one.at.astimezone(JAPAN).strftime("%Y-%m-%d %H:%M:%S")
        kind = _("SMS") if one.kind == "sms" else _("Call")
        charge = "" if one.charge is None else one.charge
        writer.writerow([begin, kind, harmless(one.shown_number(numbers)), one.seconds, charge])
    # Without the mark, spreadsheets guess another encoding.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _list(found: CallMonth, numbers: NumbersShown) -> CallList:
    items = [CallView(one.at, one.kind, one.shown_number(numbers), one.seconds, one.charge) for one in found.calls]
    return CallList(
        month=month_text(found.month),
        months=[month_text(each) for each in found.months],
        items=items,
        calls=found.call_count,
        sms=found.sms_count,
        seconds=found.seconds,
        charge_yen=found.charge,
    )
