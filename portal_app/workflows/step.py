"""One step of a workflow: run once, its outcome kept; a vendor that is away is waited for, durably."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, TypedDict

import structlog
from asgi_correlation_id import correlation_id
from dbos import DBOS

from portal_app.domain.errors import ExternalUnavailable, LineLocked, OutcomeUnknown, PortalError, RateLimited
from portal_app.infra.database.durable import customer_of, order_of
from portal_app.infra.metrics import record_job_success
from portal_app.infra.tasks.current_customer import set_current_customer
from portal_app.infra.tasks.current_order import set_current_order
from portal_app.integrations.throttling.call_limits import Priority
from portal_app.integrations.throttling.limiter import call_priority
from portal_app.wiring.portal import portal

# No limit on how often a workflow may be recovered: its steps never crash the process, a deploy may restart it often.
durable = partial(DBOS.workflow, max_recovery_attempts=None)
_log = structlog.get_logger(__name__)
# About a day in all: 1, 2, 4 ... 300 s, then every five minutes.
_FIRST_WAIT, _TRIES = 1.0, 300
# The workflows that are named after their order.
_ORDER_WORK = re.compile(r"(?:hand-over|provision)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")

_WORTH_WAITING = 30
# Limit of running steps of one name in a process: a worker that takes over hundreds of orders would otherwise spend its
# time on steps that wait for the same vendor, give up and try again.
_SIDE_BY_SIDE = 8
_places: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_SIDE_BY_SIDE))


class Outcome(TypedDict):
    """What a step came to.

    `state` is done, refused (with the error's code) or away: try again later, in `value` seconds where those were
    asked for.
    """

    state: str
    value: Any
    code: str
    message: str


DONE = Outcome(state="done", value=None, code="", message="")


def refused(code: str, message: str = "") -> Outcome:
    """Return the outcome of what cannot go on."""
    return Outcome(state="refused", value=None, code=code, message=message)


def scheduled(name: str) -> Callable[[Callable[[], Awaitable[str]]], Callable[[], Awaitable[str]]]:
    """Register a workflow of the schedule; the figures say when it last ended without being refused."""

    def register(work: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        @wraps(work)
        async def run() -> str:
            outcome = await work()
            if outcome != "refused":
                record_job_success(name)
            return outcome

        return durable(name=name)(run)

    return register


async def step(name: str, call: Callable[[], Awaitable[Any]], *, priority: Priority = "background") -> Outcome:
    """Run one step until it is done or refused, waiting for vendors that are away for up to a day.

    The call must be safe to repeat: it looks an effect up before making it a second time.
    """
    for attempt in range(_TRIES):
        outcome: Outcome = await DBOS.run_step_async({"name": name}, _attempt, name, call, priority)
        if outcome["state"] != "away":
            return outcome
        wait = max(_FIRST_WAIT * 2 ** min(attempt, 9), outcome["value"] or 0)
        await DBOS.sleep_async(min(wait, portal().settings.portal_retry_seconds))
    return Outcome(state="refused", value=None, code="gave_up", message=f"{name} was not possible for a day")


async def _attempt(name: str, call: Callable[[], Awaitable[Any]], priority: Priority) -> Outcome:
    _say_whose_work(name)
    # A customer who waits for a page goes before work that may take its time, and that before background work.
    call_priority.set(priority)
    try:
        async with _places[name]:
            return Outcome(state="done", value=await call(), code="", message="")
    except (ExternalUnavailable, OutcomeUnknown, RateLimited, LineLocked) as error:
        _log.info("step.away", error=type(error).__name__, reason=error.code)
        return Outcome(state="away", value=_long_pause(error), code=error.code, message="")
    except PortalError as error:
        _log.warning("step.refused", error=type(error).__name__, reason=str(error)[:200])
        return Outcome(state="refused", value=None, code=error.code, message=str(error)[:200])
    except Exception:
        # The outermost door of durable work: a defect of ours parks the work for a person instead of losing it.
        _log.exception("step.broke")
        return Outcome(state="refused", value=None, code="unexpected", message="An unexpected error; see the log.")


def _long_pause(error: PortalError) -> int | None:
    """Return the seconds a vendor asked for where they are worth more than our own pauses."""
    asked = vars(error).get("retry_after")
    return asked if isinstance(asked, int) and asked > _WORTH_WAITING else None


def _say_whose_work(name: str) -> None:
    """Let every log line and vendor call of this step name its workflow, its order and the request that began it."""
    correlation_id.set(DBOS.authenticated_user or DBOS.workflow_id)
    set_current_customer(customer_of(DBOS.authenticated_roles))
    of_an_order = _ORDER_WORK.match(DBOS.workflow_id or "")
    set_current_order(of_an_order[1] if of_an_order else order_of(DBOS.authenticated_roles))
    structlog.contextvars.bind_contextvars(workflow=DBOS.workflow_id, step=name)
