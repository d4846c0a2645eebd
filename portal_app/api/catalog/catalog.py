"""The public catalogue: what can be ordered, at what price."""

from decimal import Decimal
from typing import Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.catalog import schemas
from portal_app.api.http.response_cache import cached_under
from portal_app.api.http.responses import body_of, written
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/services", tags=["catalogue"])
Offered = Literal["internet", "sim", "vpn"]


@router.get("/{category}", response_model=schemas.PlanList)
async def plans(request: Request, category: Offered) -> Response:
    """Return the plans of a category in display order; open to everybody."""
    tax, catalog = Decimal(portal().settings.tax_percent), portal().catalog
    cached_under(request, catalog.cache_entry(category))
    return written(
        await catalog.plans_bytes(
            category, lambda found: body_of(schemas.PlanList([schemas.plan_view(plan, tax) for plan in found]))
        )
    )
