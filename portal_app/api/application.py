"""Assembles the HTTP API: its routes, its errors, its description."""

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Receive, Scope, Send

from portal_app.api.billing import billing, csv_export
from portal_app.api.calls import calls
from portal_app.api.catalog import catalog
from portal_app.api.dashboard import calendar_feed, summary
from portal_app.api.help import contact, help
from portal_app.api.http.access_log import ErrorMiddleware
from portal_app.api.http.problem import DOCUMENTED, WrongMethod, answer_errors
from portal_app.api.identity import account_recovery, mfa_challenge, password, security, sessions, step_up
from portal_app.api.internet import eligibility
from portal_app.api.notifications import preferences, unsubscribe
from portal_app.api.openapi import PortalAPI
from portal_app.api.operations import health, webhooks
from portal_app.api.orders import orders
from portal_app.api.profile import account, kyc
from portal_app.api.registration import sign_up, whmcs_migration
from portal_app.api.sim import alerts, line_orders, sim_line, top_ups
from portal_app.api.status import status
from portal_app.api.subscriptions import subscriptions
from portal_app.api.support import case_files, cases, conversation_copy, reply_form
from portal_app.api.uploads import uploads
from portal_app.domain.errors import NotFound
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.settings import Settings

_ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PARTS = (
    sessions, mfa_challenge, account_recovery, sign_up, whmcs_migration, account, kyc, password, step_up, security,
    csv_export, billing, summary, subscriptions, sim_line, top_ups, alerts, line_orders, calls, cases, case_files,
    conversation_copy, reply_form, uploads, calendar_feed, preferences, unsubscribe, orders, catalog, eligibility, help,
    contact, status, webhooks, health,
)  # fmt: skip


def build_api(settings: Settings) -> FastAPI:
    """Return the API that Reflex's pages are mounted under; documented at /api/openapi.json."""
    api = PortalAPI(
        title="Portal API",
        version="1",
        description="What a customer can do in the portal, for programs. Errors are application/problem+json.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        servers=[{"url": settings.portal_url}],
        responses=DOCUMENTED,
        cookie=cookie_name(settings, "access"),
    )
    for part in _PARTS:
        api.include_router(part.router)
    answer_errors(api)
    api.router.routes.append(_UnknownRoute())
    api.add_middleware(ErrorMiddleware)
    return api


class _UnknownRoute(BaseRoute):
    """Answers API paths that no route takes, whatever they hold and whatever the method, before the pages do."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take every request below /api/; a pattern would leave out paths with a line break."""
        is_api = scope["type"] == "http" and scope["path"].startswith("/api/")
        return (Match.FULL if is_api else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise WrongMethod where the path takes another method, else NotFound."""
        if _has_route(scope, scope["method"], Match.PARTIAL):
            raise WrongMethod(method for method in _ALL_METHODS if _has_route(scope, method, Match.FULL))
        raise NotFound("no such route")


def _has_route(scope: Scope, method: str, match: Match) -> bool:
    asked = {**scope, "method": method}
    routes = (route for route in scope["app"].routes if not isinstance(route, Mount | _UnknownRoute))
    return any(route.matches(dict(asked))[0] is match for route in routes)
