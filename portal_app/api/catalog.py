"""The public catalogue: what can be ordered, at what price."""

from decimal import Decimal
from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from portal_app.api import shapes, views
from portal_app.api.outgoing import json
from portal_app.wiring import portal

router = APIRouter(prefix="/api/services", tags=["catalogue"])
Offered = Literal["internet", "sim", "vpn"]


@router.get("/{category}", response_model=shapes.PlanList)
async def plans(category: Offered) -> Response:
    """Return the plans of a category in display order; open to everybody."""
    tax = Decimal(portal().settings.tax_percent)
    return json({"items": [views.plan(plan, tax) for plan in await portal().catalog.plans(category)]})
