"""Health for load balancers and operators: liveness, readiness, Salesforce events, vendor limiters, Freebit."""

import hmac
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.responses import json
from portal_app.api.operations.readiness import Readiness
from portal_app.domain.errors import ExternalUnavailable, NotFound, NotSignedIn
from portal_app.infra.redis.client import LISTENER_STATUS_KEY
from portal_app.wiring.portal import portal

_STATUSES = ("connected", "connecting", "standby", "off")
_RETRY_SECONDS = 5
_log = structlog.get_logger(__name__)
_readiness = Readiness()
# For OpenAPI only: `operator` reads the token.
_bearer = HTTPBearer(auto_error=False, description="PORTAL_OPERATOR_TOKEN")
_NOT_NOW = {"description": "What does not fit, or does not answer"}
router = APIRouter(prefix="/api/health", tags=["health"])


@router.head("/live", include_in_schema=False)
@router.get("/live", response_model=dict[str, str])
async def live() -> Response:
    """Return 200 while this process answers."""
    return json({"status": "ok"})


@router.head("/ready", include_in_schema=False)
@router.get("/ready", response_model=dict[str, str], responses={503: {"model": dict[str, Any], **_NOT_NOW}})
async def ready() -> Response:
    """Return whether this deployment fits; 503 names the parts that do not, and why."""
    found = await _readiness.reasons()
    parts = {part: "unavailable" if reason else "ok" for part, reason in found.items()}
    wrong = {part: reason for part, reason in found.items() if reason}
    if not wrong:
        return json({"status": "ok", **parts})
    return json({"status": "unavailable", **parts, "reasons": wrong}, 503, {"Retry-After": str(_RETRY_SECONDS)})


async def operator(request: Request, _: Annotated[Any, Depends(_bearer)] = None) -> None:
    """Let only operators through: how vendors and queues are doing is no stranger's business.

    Raises NotFound where no token is set, NotSignedIn for another one than ours.
    """
    ours = portal().settings.portal_operator_token.get_secret_value()
    if not ours:
        raise NotFound("no operator token is set")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), ours.encode()):
        raise NotSignedIn("operators only")


_OPERATORS = [Depends(operator)]


@router.get("/sf-events", response_model=dict[str, Any], dependencies=_OPERATORS)
async def salesforce_events() -> Response:
    """Return the position in Salesforce's event stream and the state of the listener."""
    settings = portal().settings
    channel = settings.sf_provision_event_channel
    position = await portal().inbound.inbox.position(channel)
    replay: dict[str, Any] = {"lastReplayId": position.hex() if position else None}
    subscriber = {"status": await _listener_status() if settings.sf_events_enabled else "off"}
    enabled = settings.sf_events_enabled
    return json({"enabled": enabled, "channel": channel, "replay": replay, "subscriber": subscriber})


@router.get("/lanes", response_model=dict[str, Any], dependencies=_OPERATORS)
async def lanes() -> Response:
    """Return the state of each vendor's rate limiter: limits, running and waiting calls, this hour's refusals."""
    found = await portal().vendors.limiter_states()
    is_shared = all(limiter["shared"] for limiter in found.values())
    return json({"status": "shared" if is_shared else "this process alone", "lanes": found})


@router.get(
    "/freebit",
    response_model=dict[str, Any],
    responses={503: {"model": dict[str, str], **_NOT_NOW}},
    dependencies=_OPERATORS,
)
async def freebit() -> Response:
    """Say whether Freebit answers, and when it last did; off where no address is set."""
    if not portal().settings.freebit_url:
        return json({"status": "off"})
    try:
        answered_at = await portal().vendors.sims.last_answered_at()
    except ExternalUnavailable:
        return json({"status": "unavailable"}, 503, {"Retry-After": str(_RETRY_SECONDS)})
    return json({"status": "ok", "answered_at": answered_at})


async def _listener_status() -> str:
    try:
        kept = await portal().redis.get(LISTENER_STATUS_KEY)
    except (RedisError, OSError) as error:
        _log.debug("health.redis_away", error=type(error).__name__)
        return "unknown"
    status = kept.decode() if kept else ""
    return status if status in _STATUSES else "unknown"
