"""Assembles the HTTP API: its routes, its errors, its description."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from portal_app.api.billing import billing, csv_export
from portal_app.api.catalog import catalog
from portal_app.api.dashboard import calendar_feed, summary
from portal_app.api.http.access_log import ErrorMiddleware
from portal_app.api.http.problem import DOCUMENTED, WrongMethod, answer_errors
from portal_app.api.identity import account_recovery, mfa_challenge, password, security, sessions, step_up
from portal_app.api.internet import eligibility
from portal_app.api.notifications import preferences
from portal_app.api.operations import health, webhooks
from portal_app.api.orders import orders
from portal_app.api.profile import account, kyc
from portal_app.api.registration import sign_up, whmcs_migration
from portal_app.api.subscriptions import subscriptions
from portal_app.api.support import case_files, cases, reply_form
from portal_app.api.uploads import uploads
from portal_app.domain.errors import NotFound
from portal_app.infra.settings import Settings

_ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_PARTS = (
    sessions, mfa_challenge, account_recovery, sign_up, whmcs_migration, account, kyc, password, step_up, security,
    csv_export, billing, summary, subscriptions, cases, case_files, reply_form, uploads, calendar_feed,
    preferences, orders, catalog, eligibility, webhooks, health,
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
    api.add_middleware(ErrorMiddleware)
    return api


async def _unknown(request: Request) -> Response:
    """Answer API paths that no route takes, before the pages mounted below do."""
    if _has_route(request, request.method, Match.PARTIAL):
        raise WrongMethod(method for method in _ALL_METHODS if _has_route(request, method, Match.FULL))
    raise NotFound("no such route")


def _has_route(request: Request, method: str, match: Match) -> bool:
    scope = {**request.scope, "method": method}
    routes = (route for route in request.app.routes if getattr(route, "endpoint", None) is not _unknown)
    return any(route.matches(dict(scope))[0] is match for route in routes)
