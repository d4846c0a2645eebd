"""What every page's state shares: whose data it shows, its face, its language, and how trouble is told."""

import inspect
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import wraps
from time import monotonic
from typing import Any, ClassVar
from uuid import UUID

import reflex as rx
import structlog

from portal_app.domain.errors import AccountNotReady, InvalidInput, NotFound, PortalError, StepUpNeeded
from portal_app.domain.profile.customer import Customer
from portal_app.infra.metrics import count_page_event
from portal_app.infra.tasks.deadline import request_deadline
from portal_app.language import LANGUAGES, Language, _, parse_language, speaking
from portal_app.language.format import time
from portal_app.state.shell.notice_count import NoticeCount
from portal_app.state.shell.session import PageSession
from portal_app.state.shell.step_up import ask_first, put_away
from portal_app.wiring.portal import portal

_log = structlog.get_logger(__name__)


class PageState(rx.State, mixin=True):
    """Mix into a page's state. `topics` are the live changes that make an open page call its `refresh`.

    The page shows one face: `missing`, `setting_up`, its rows once `shown`, a `problem`, or that it is `loading`.
    A problem with rows already shown is told above them.
    """

    topics: ClassVar[frozenset[str]] = frozenset()

    loading: bool = True
    shown: bool = False
    missing: bool = False
    setting_up: bool = False
    setting_up_note: str = ""
    problem: str = ""
    saved_note: str = ""
    _opened_path: str = ""

    async def _customer(self) -> Customer:
        """Return the customer this tab is bound to. Raises AccountNotReady."""
        identity = await self.get_state(PageSession)
        return await portal().identity.accounts.customer(UUID(identity._user_id))

    def _note_saved(self, as_of: datetime | None) -> None:
        """Say how old saved data are; None says nothing."""
        self.saved_note = (
            _("Saved data from {time}. Newer data follow as soon as billing answers.").format(time=time(as_of))
            if as_of
            else ""
        )

    def _query(self, name: str) -> str:
        """Return one parameter of the page's address, or an empty text."""
        return str(self.router.url.query_parameters.get(name, ""))

    def _last_part(self) -> str:
        """Return the last part of the page's path: the id in the address of a detail page."""
        return self.router.url.path.rstrip("/").rpartition("/")[2]


def page_load(load: Callable[[Any], Any]) -> Callable[[Any], AsyncIterator[Any]]:
    """Make a handler the page's `load`: below `@rx.event`. A new address shows its skeleton, never the last rows."""
    tell = report_errors(load)

    @wraps(load)
    async def run(self: Any) -> AsyncIterator[Any]:
        path = self.router.url.path
        if path != self._opened_path:
            self._opened_path, self.shown, self.loading = path, False, True
            yield
        await put_away(self)
        leave = await tell(self)
        await (await self.get_state(NoticeCount)).refresh()
        if leave is not None:
            yield leave
        elif not (self.problem or self.missing or self.setting_up):
            self.shown = True

    return run


def report_errors(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Tell a page's customer what went wrong instead of failing; put it below `@rx.event`.

    A handler that needs a fresh proof of who it is runs again, from its beginning, once the customer has given it.
    """
    if inspect.isasyncgenfunction(handler):

        @wraps(handler)
        async def run_in_steps(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            with speaking(language_of(args[0])), request_deadline(), _ErrorReporter(args[0], handler.__name__):
                try:
                    async for update in handler(*args, **kwargs):
                        yield update
                except StepUpNeeded:
                    await ask_first(args[0], handler.__name__, [*args[1:], *kwargs.values()])

        return run_in_steps

    @wraps(handler)
    async def run(*args: Any, **kwargs: Any) -> Any:
        with speaking(language_of(args[0])), request_deadline(), _ErrorReporter(args[0], handler.__name__):
            try:
                return await handler(*args, **kwargs)
            except StepUpNeeded:
                await ask_first(args[0], handler.__name__, [*args[1:], *kwargs.values()])

    return run


def language_of(state: rx.State) -> Language:
    """Return the language of the page a state is shown on: its path says it."""
    head = state.router.url.path.strip("/").partition("/")[0]
    return parse_language(head) if head in LANGUAGES else parse_language(None)


class _ErrorReporter:
    """Turns what is raised into the page's face."""

    def __init__(self, state: Any, event: str) -> None:
        self._state = state
        self._event = event
        self._began = monotonic()

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
            state.problem = _(error.user_message)
        elif isinstance(error, Exception):
            # The outermost door of a handler: a defect of ours is told in plain words and logged in full.
            _log.error("handler.broke", exc_info=error)
            state.problem = _(PortalError.user_message)
        return isinstance(error, Exception)

    def _count(self, error: BaseException | None) -> None:
        outcome: Any = "done" if error is None else "refused" if isinstance(error, PortalError) else "broke"
        seconds = monotonic() - self._began
        count_page_event(type(self._state).__name__, self._event, outcome=outcome, seconds=seconds)
