"""The SIM line of a service."""

from fastapi import APIRouter
from starlette.responses import Response

from portal_app.api.http.dependencies import SignedInCustomer, vendor_id
from portal_app.api.http.responses import as_of, json
from portal_app.api.sim.schemas import LineResource, line_resource
from portal_app.domain.errors import NotFound
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])


@router.get("/{service_id}/sim", response_model=LineResource)
async def line(customer: SignedInCustomer, service_id: str) -> Response:
    """Return the SIM line of a service: its data, days, forecast, and what is pending. 404 for other services.

    What the carrier told is at most some minutes old, or saved data with their time while it is away.
    """
    service, saved_at = await portal().subscriptions.services.subscription_for(customer, vendor_id(service_id))
    overview = await portal().sim.overviews.of_service(customer, service)
    if overview is None:
        raise NotFound("no SIM line")
    shown = line_resource(overview.link, overview.line, plan=service.name)
    return json(shown, headers=as_of(shown.as_of or saved_at))
