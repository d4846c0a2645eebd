"""Assembles the HTTP API: its routes, its errors, its description."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from portal_app.api import (
    account,
    auth,
    billing,
    calendar,
    catalog,
    csv_export,
    eligibility,
    health,
    move,
    notifications,
    orders,
    password,
    second_step,
    security,
    sign_up,
    step_up,
    subscriptions,
    way_back,
    webhooks,
)
from portal_app.api.observed import LastResort
from portal_app.api.problem import DOCUMENTED, WrongMethod, answer_errors
from portal_app.domain.errors import NotFound
from portal_app.infra.settings import Settings

_ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_PARTS = (
    auth, second_step, way_back, sign_up, move, account, password, step_up, security, csv_export, billing,
    subscriptions, calendar, notifications, orders, catalog, eligibility, webhooks, health,
)  # fmt: skip


def build_api(settings: Settings) -> FastAPI:
    """Return the API that Reflex's pages are mounted under; documented at /api/openapi.json."""
    api = FastAPI(
        title="Portal API",
        version="1",
        description="What a customer can do in the portal, for programs. Errors are application/problem+json.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        servers=[{"url": settings.portal_url}],
        responses=DOCUMENTED,
    )
    for part in _PARTS:
        api.include_router(part.router)
    answer_errors(api)
    api.add_api_route("/api/{rest:path}", _unknown, methods=_ALL_METHODS, include_in_schema=False)
    api.add_middleware(LastResort)
    return api


async def _unknown(request: Request) -> Response:
    """Answer what is no route of ours, before the pages mounted below would."""
    for route in request.app.routes:
        if route.matches(request.scope)[0] is Match.PARTIAL:
            raise WrongMethod()
    raise NotFound("no such route")
