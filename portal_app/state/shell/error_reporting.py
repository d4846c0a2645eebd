"""What a handler's errors become on its page: a message, "not found", "being set up", or the question who it is."""

import inspect
import time
from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Any

import reflex as rx
import structlog
from asgi_correlation_id import correlation_id

from portal_app.domain.errors import AccountNotReady, InvalidInput, NotFound, PortalError, StepUpNeeded
from portal_app.infra.metrics import count_page_event
from portal_app.infra.tasks.deadline import request_deadline
from portal_app.language import LANGUAGES, Language, _, parse_language, speaking
from portal_app.state.shell.step_up import ask_for_proof

# As much of an id as somebody reads out; enough to find its lines in a log.
_REFERENCE = 12
_log = structlog.get_logger(__name__)


def report_errors(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Run a handler in the page's language and within a deadline, and show its errors.

    A handler that needs a recent proof of identity runs again, from its beginning, once the customer has given it.
    """
    if inspect.isasyncgenfunction(handler):

        @wraps(handler)
        async def run_in_steps(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            with speaking(language_of(args[0])), request_deadline(), _ErrorReporter(args[0], handler.__name__):
                try:
                    async for update in handler(*args, **kwargs):
                        yield update
                except StepUpNeeded:
                    await ask_for_proof(args[0], handler.__name__, [*args[1:], *kwargs.values()])

        return run_in_steps

    @wraps(handler)
    async def run(*args: Any, **kwargs: Any) -> Any:
        with speaking(language_of(args[0])), request_deadline(), _ErrorReporter(args[0], handler.__name__):
            try:
                return await handler(*args, **kwargs)
            except StepUpNeeded:
                await ask_for_proof(args[0], handler.__name__, [*args[1:], *kwargs.values()])

    return run


def handler(method: Callable[..., Any]) -> Any:
    """Make a method of a page's state a handler of events, whose errors the page shows."""
    return rx.event(report_errors(method))


def language_of(state: rx.State) -> Language:
    """Return the language of the page that shows a state: the first part of its path, else the default."""
    head = state.router.url.path.strip("/").partition("/")[0]
    return parse_language(head) if head in LANGUAGES else parse_language(None)


def _with_reference(message: str) -> str:
    """Add the id of this event to what a customer reads: its log lines have it as their correlation id."""
    reference = (correlation_id.get() or "")[:_REFERENCE]
    return f"{message} {_('Reference: {reference}').format(reference=reference)}" if reference else message


class _ErrorReporter:
    """Turns the exception of a handler into the state that the page shows."""

    def __init__(self, state: Any, event: str) -> None:
        self._state = state
        self._event = event
        self._began = time.monotonic()

    def __enter__(self) -> None:
        self._state.problem = ""

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        state = self._state
        if error is None or isinstance(error, Exception):
            self._count(error)
        state.loading = False
        if error is None:
            state.missing = state.setting_up = False
        elif isinstance(error, AccountNotReady):
            state.setting_up, state.shown = True, False
            state.setting_up_note = _(error.user_message) if error.needs_words else ""
        elif isinstance(error, NotFound):
            state.missing, state.shown = True, False
        elif isinstance(error, InvalidInput) and error.fields:
            state.problem = " ".join(_(text) for text in error.fields.values())
        elif isinstance(error, PortalError):
            state.problem = _with_reference(_(error.user_message)) if error.status >= 500 else _(error.user_message)
        elif isinstance(error, Exception):
            # The last handler of exceptions: a defect is logged in full and shown as a general message.
            _log.error("handler.broke", exc_info=error)
            state.problem = _with_reference(_(PortalError.user_message))
        return isinstance(error, Exception)

    def _count(self, error: BaseException | None) -> None:
        outcome: Any = "done" if error is None else "refused" if isinstance(error, PortalError) else "broke"
        seconds = time.monotonic() - self._began
        count_page_event(type(self._state).__name__, self._event, outcome=outcome, seconds=seconds)
