"""The services a customer has."""

from fastapi import APIRouter
from starlette.responses import Response

from portal_app.api import shapes, views
from portal_app.api.billing import as_of
from portal_app.api.outgoing import json
from portal_app.api.signed_in import SignedInCustomer, vendor_id
from portal_app.wiring import portal

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])


@router.get("", response_model=shapes.SubscriptionList)
async def subscriptions(customer: SignedInCustomer) -> Response:
    """Return the customer's services, newest first."""
    found = await portal().subscriptions.subscriptions_for(customer)
    rows = [views.subscription(row) for row in found.rows]
    return json({"items": rows, "as_of": found.as_of}, headers=as_of(found.as_of))


@router.get("/{service_id}", response_model=shapes.SubscriptionDetail)
async def subscription(customer: SignedInCustomer, service_id: str) -> Response:
    """Return one service."""
    service, saved_at = await portal().subscriptions.subscription_for(customer, vendor_id(service_id))
    return json(views.subscription_in_full(service, saved_at), headers=as_of(saved_at))
