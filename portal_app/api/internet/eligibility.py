"""What fibre the signed-in customer's address can have, and asking our team to find out."""

from fastapi import APIRouter
from starlette.responses import Response

from portal_app.api.http.dependencies import SignedInCustomer
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.responses import json
from portal_app.api.internet import schemas
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/me/eligibility", tags=["internet"])


@router.get("", response_model=schemas.EligibilityView)
async def eligibility(customer: SignedInCustomer) -> Response:
    """Return where the check of the customer's address stands, saved data while our order system does not answer."""
    return json(schemas.EligibilityView.from_domain(await portal().internet.checks.check_for(customer)))


@router.post("", status_code=202, response_model=schemas.EligibilityView)
async def request(customer: SignedInCustomer, once: IdempotentCallDependency) -> Response:
    """Request a check of the address. An address is checked once; a new address can be checked again."""
    checks = portal().internet.checks

    async def ask() -> None:
        await checks.request(customer)

    await once(None, ask)
    return json(schemas.EligibilityView.from_domain(await checks.check_for(customer)), 202)
