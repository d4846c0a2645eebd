"""What the dashboard shows, for programs."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.dashboard import schemas
from portal_app.api.http.dependencies import SignedInCustomer
from portal_app.api.http.response_cache import cached_under
from portal_app.api.http.responses import body_of, written_list
from portal_app.domain.dashboard.summary import Summary
from portal_app.domain.profile.customer import Customer
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api", tags=["billing"])


@router.get("/me/summary", response_model=schemas.SummaryView)
async def summary(request: Request, customer: SignedInCustomer) -> Response:
    """Return what the dashboard shows, from saved data; never waits for another system."""
    cached_under(request, portal().dashboard.summary.cache_entry, _summary)
    return await _summary(customer)


async def _summary(customer: Customer) -> Response:
    def write(found: Summary) -> bytes:
        return body_of(schemas.summary_view(found))

    return written_list(await portal().dashboard.summary.summary_bytes(customer, write))
