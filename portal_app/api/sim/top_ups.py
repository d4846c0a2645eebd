"""Data that are bought for a SIM line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import SignedInCustomer, vendor_id
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.money import Amount, amount
from portal_app.api.http.request_parsing import Body, read, takes
from portal_app.api.http.resource import Resource
from portal_app.api.http.responses import json
from portal_app.domain.sim.top_up import LEAST_GB, MOST_GB, parse_gigabytes
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])


class NewTopUp(Body):
    """How many GB (1 to 50, whole), and the total with tax that the customer was shown for them."""

    gigabytes: Any
    total: int


@dataclass
class TopUpOrderView(Resource):
    """One purchase. `standing`: under_way, checking (of the charge), confirm, paid, done, stopped or with_team.

    `confirm`: the card was declined, and the invoice can be paid at billing until `confirm_until`. `reason` says why it
    stopped. The times are those of the invoice, the payment and the data. `is_automatic`: the line's automatic top-up.
    """

    id: UUID
    gigabytes: int
    total: Amount
    standing: str
    reason: str
    invoice_id: int | None
    asked_at: datetime
    invoiced_at: datetime | None
    paid_at: datetime | None
    delivered_at: datetime | None
    confirm_until: datetime | None
    is_automatic: bool


@dataclass
class TopUpOrderList(Resource):
    """What was bought, newest first, and what 1 GB costs without tax."""

    items: list[TopUpOrderView]
    least_gigabytes: int
    most_gigabytes: int
    price: Amount
    tax_percent: int


@router.get("/{service_id}/sim/top-ups", response_model=TopUpOrderList)
async def top_ups(customer: SignedInCustomer, service_id: str) -> Response:
    """Return what was bought for the line of a service, and the price."""
    service, _ = await portal().subscriptions.services.subscription_for(customer, vendor_id(service_id))
    own = portal().sim.top_ups
    found = TopUpOrderView.list_of(await own.of_service(customer, service.id))
    price = amount(own.prices.per_gigabyte)
    return json(TopUpOrderList(found, LEAST_GB, MOST_GB, price, int(own.prices.tax_percent)))


@router.post(
    "/{service_id}/sim/top-ups",
    status_code=201,
    response_model=TopUpOrderView,
    openapi_extra=takes(NewTopUp, form=False),
)
async def order(
    request: Request, customer: SignedInCustomer, service_id: str, once: IdempotentCallDependency
) -> Response:
    """Buy data for a line: billed, charged once to the stored card, then added. Read it again to see how it goes on.

    409 where the price is another by now, the line is not active or ends, or a purchase is under way.
    """
    number, entries = vendor_id(service_id), await read(request, NewTopUp, form=False)
    gigabytes, own = parse_gigabytes(entries.gigabytes), portal().sim.top_ups
    taken = await once.in_one_transaction(
        f"{number}:{gigabytes}:{entries.total}",
        lambda claim: own.order(customer, number, gigabytes, agreed=entries.total, claim=claim),
    )
    shown = TopUpOrderView.from_domain(await own.one(customer, UUID(taken)))
    return json(shown, 201, {"Location": f"/api/subscriptions/{number}/sim/top-ups"})
