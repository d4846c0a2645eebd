"""The services a customer has."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api import shapes, views
from portal_app.api.kept import kept_under
from portal_app.api.outgoing import as_of, body_of, json, written_list
from portal_app.api.signed_in import SignedInCustomer, vendor_id
from portal_app.wiring import Services, portal

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])


@router.get("", response_model=shapes.SubscriptionList)
async def subscriptions(request: Request, customer: SignedInCustomer) -> Response:
    """Return the customer's services, newest first."""
    services = portal().subscriptions
    kept_under(request, services.entry_of(customer), owner=customer.user_id)
    return written_list(await services.subscriptions_text(customer, _list))


@router.get("/{service_id}", response_model=shapes.SubscriptionDetail)
async def subscription(customer: SignedInCustomer, service_id: str) -> Response:
    """Return one service."""
    service, saved_at = await portal().subscriptions.subscription_for(customer, vendor_id(service_id))
    return json(views.subscription_in_full(service, saved_at), headers=as_of(saved_at))


def _list(found: Services) -> bytes:
    return body_of({"items": [views.subscription(row) for row in found.rows], "as_of": found.as_of})
