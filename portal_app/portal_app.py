"""Assembles the web process: pages, guard, API, lifespan."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import reflex as rx
import structlog
from asgi_correlation_id import CorrelationIdMiddleware
from reflex.app import default_error_boundary
from reflex_base.registry import RegistrationContext
from starlette.types import ASGIApp

from portal_app.api.application import build_api
from portal_app.api.help.contact_page import contact_page
from portal_app.api.help.help_page import HelpPages
from portal_app.api.http.access_log import AccessLog
from portal_app.api.http.body_deadline import BodyDeadline
from portal_app.api.http.cookie_filter import CookieFilter
from portal_app.api.http.request_context import RequestContextMiddleware
from portal_app.api.http.response_cache import CachedResponses
from portal_app.api.http.security_headers import SecurityHeaders
from portal_app.api.http.session_middleware import SessionMiddleware, account_of_token
from portal_app.api.http.websocket_limits import WebsocketLimits
from portal_app.api.public.public_pages import PublicPages
from portal_app.api.status.status_page import status_page
from portal_app.infra.database.clock_sync import sync_clock
from portal_app.infra.interpreter import report_flaws
from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.metrics_server import Metrics
from portal_app.infra.settings import Settings
from portal_app.pages import all_pages
from portal_app.pages.shell.page import add_pages, needs_session, static_routes
from portal_app.state.shell.guard import SessionGuard
from portal_app.state.shell.live import push_changes, watch_sessions
from portal_app.state.shell.tab_states import TabStates, watch_tokens
from portal_app.wiring.portal import build, set_portal

settings = Settings()
# By full name, of all pages imported above. Looked up here: the edge runs outside Reflex's own context.
HANDLERS = RegistrationContext.ensure_context().event_handlers
_log = structlog.get_logger(__name__)
set_up_logs(process="web", log_format=settings.portal_log_format, level=settings.portal_log_level)


def edge(inner: ASGIApp) -> ASGIApp:
    """Wrap the application in its middleware; the last one added sees a request first."""
    fillers = {"/help": HelpPages(), "/contact": contact_page, "/status": status_page}
    public = PublicPages(inner, static_routes(), fillers)
    served = CachedResponses(SessionMiddleware(public, settings, needs_session), settings)
    guarded = SecurityHeaders(CookieFilter(RequestContextMiddleware(served, settings), settings), settings)
    sockets = WebsocketLimits(guarded, settings, has_handler=HANDLERS.__contains__, account_of=account_of_token)
    return CorrelationIdMiddleware(AccessLog(BodyDeadline(sockets, settings.portal_body_seconds)))


def on_defect(exception: Exception) -> None:
    """Log an exception that no handler reported; Reflex's own way needs a script that the policy forbids."""
    _log.error("event.broke", exc_info=exception)


app = rx.App(
    backend_exception_handler=on_defect,
    html_lang="en",
    stylesheets=["/portal.css"],
    toaster=None,
    app_wraps={(55, "ErrorBoundary"): lambda _: default_error_boundary()},
    head_components=[
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.script(src="/live_page.js", type="module"),
    ],
    api_transformer=[build_api(settings), edge],
)
app.add_middleware(SessionGuard(), index=0)
if app.sio is not None:
    # How soon both sides notice a dead line; with Reflex's own values it takes more than two minutes.
    app.sio.eio.ping_interval = settings.portal_socket_ping_seconds
    app.sio.eio.ping_timeout = settings.portal_socket_answer_seconds
    # Pages wait so much longer for a ping. The server ends a dead line first, so that the page keeps its state.
    app.sio.eio.ping_interval_grace_period = 2
app._state_manager = TabStates.replacing(app.state_manager, settings)
if app.event_namespace is not None:
    watch_tokens(app.event_namespace._token_manager, settings)
add_pages(app)


@contextlib.asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Build this worker's portal after the fork, listen for live changes, close everything at the end."""
    report_flaws()
    portal = set_portal(build(settings, role="web"))
    portal.help.help.prepare()
    # What is in memory by now stays: no collection has to walk through it again.
    gc.collect()
    gc.freeze()
    loops = (sync_clock(portal.database), push_changes(app), watch_sessions(app))
    metrics = Metrics(settings, "web", serves=False).start()
    tasks = [asyncio.create_task(loop) for loop in loops]
    _log.info("web.ready")
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await portal.close()
        await asyncio.to_thread(metrics.stop)


app.register_lifespan_task(lifespan)

__all__ = ["all_pages", "app"]
