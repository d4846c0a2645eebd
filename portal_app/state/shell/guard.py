"""Runs before every event of every tab: no session, no event, unless the handler is declared public."""

import uuid
from collections import OrderedDict
from typing import Any

import reflex as rx
import structlog
from asgi_correlation_id import correlation_id
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, State, StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegisteredEventHandler, RegistrationContext

from portal_app.domain.errors import NotSignedIn, PortalError
from portal_app.infra.redis.rate_limit import LocalLimits
from portal_app.infra.security.cookies import cookie_name, read_cookie
from portal_app.infra.security.tokens import Access
from portal_app.infra.tasks.current_customer import set_current_customer
from portal_app.state.shell.public_handlers import is_public
from portal_app.state.shell.session import PageSession, show_account
from portal_app.state.shell.tabs import TABS
from portal_app.wiring.portal import portal

# What Reflex itself sends when a page opens: it creates the state tree and asks for the page's own load events.
_FRAMEWORK = "reflex___"
_OPENING = frozenset({"hydrate", "hydrate_and_load", "on_load_internal", "set_is_hydrated"})
# What Reflex adds to every state and no page of ours sends: setting variables, reporting to its log.
_FORBIDDEN = frozenset({"setvar", "handle_frontend_exception"})
_MOST_HANDSHAKES = 20_000
_log = structlog.get_logger(__name__)


class SessionGuard(Middleware):
    """Bind each state tree to one session, and refuse events without a session unless their handler is public."""

    def __init__(self) -> None:
        # By socket and Cookie header, which does not change while a socket is open: each is read once.
        self._handshakes: OrderedDict[tuple[str, str], Access] = OrderedDict()
        self._limits = LocalLimits()

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """Return None to let an event through, an update instead of it otherwise."""
        correlation_id.set(uuid.uuid4().hex)
        structlog.contextvars.bind_contextvars(handler=event.name)
        identity = await state.get_state(PageSession)
        # Not `router`, which assembles all of its parts: this runs before every event.
        tab = identity.rx_router_session.client_token
        if self._limits.seconds_left(portal().settings.portal_event_limit, tab):
            _log.warning("guard.flood")
            return StateUpdate()
        if event.name.rpartition(".")[2] in _FORBIDDEN:
            _log.warning("guard.forbidden_event")
            return StateUpdate()
        access = await self._session_of(identity)
        set_current_customer(str(access.user_id) if access else "")
        if access:
            structlog.contextvars.bind_contextvars(user=str(access.user_id))
        bound = str(access.session_id) if access else ""
        was_bound = identity._session_id
        if was_bound and was_bound != bound:
            identity = await _wipe(state)
        handler = RegistrationContext.get().event_handlers.get(event.name)
        if access is None:
            return await self._without_session(state, identity, event, handler, had_one=bool(was_bound))
        if identity._session_id != bound:
            await _bind(identity, access)
        page = _page_of(event, handler)
        TABS.record_event(tab, user_id=str(access.user_id), session_id=bound, page=page)
        return None

    async def _session_of(self, identity: PageSession) -> Access | None:
        """Return the live session of the cookie this socket was opened with.

        Expiry counts at the handshake only: afterwards the session itself decides.
        """
        cookies = identity.rx_router_headers.cookie
        key = (identity.rx_router_session.session_id, cookies)
        try:
            access = self._handshakes.get(key) or _opened_with(cookies)
            await portal().identity.sessions.require_access(access)
        except PortalError as error:
            if not isinstance(error, NotSignedIn):
                _log.warning("guard.session_unknown", error=type(error).__name__)
            self._handshakes.pop(key, None)
            return None
        self._handshakes[key] = access
        if len(self._handshakes) > _MOST_HANDSHAKES:
            self._handshakes.popitem(last=False)
        return access

    async def _without_session(
        self,
        state: BaseState,
        identity: PageSession,
        event: Event,
        handler: RegisteredEventHandler | None,
        *,
        had_one: bool,
    ) -> StateUpdate | None:
        owner, _, name = event.name.rpartition(".")
        is_opening = name in _OPENING and owner.rpartition(".")[2].startswith(_FRAMEWORK)
        if is_opening or (handler is not None and is_public(handler.handler) and not had_one):
            return None
        # The page reloads once: its request renews the cookies or leads to the sign-in page.
        identity.must_reload = True
        return await _update_of(state)


def _opened_with(cookies: str) -> Access:
    """Read the access cookie of a socket's handshake. Raises NotSignedIn for a missing or invalid one."""
    return portal().identity.sessions.read_access_token(read_cookie(cookies, cookie_name(portal().settings, "access")))


async def _bind(identity: PageSession, access: Access) -> None:
    await show_account(identity, access.user_id)
    identity._session_id, identity._user_id = str(access.session_id), str(access.user_id)
    identity.signed_in, identity.must_reload = True, False


async def _wipe(state: BaseState) -> PageSession:
    root = state._get_root_state()
    for substate in _all(State):
        # Redis loads lazily: a substate that is not loaded would survive the reset.
        await root.get_state(substate)
    root.reset()
    return await root.get_state(PageSession)


async def _update_of(state: BaseState) -> StateUpdate:
    root = state._get_root_state()
    delta = await root._get_resolved_delta()
    root._clean()
    return StateUpdate(delta=delta)


def _all(cls: type[BaseState]) -> list[type[BaseState]]:
    found: list[type[BaseState]] = []
    for substate in cls.get_substates():
        found += [substate, *_all(substate)]
    return found


def _page_of(event: Event, handler: RegisteredEventHandler | None) -> Any:
    if handler is None or event.name.rpartition(".")[2] != "load":
        return None
    return handler.states[-1] if handler.states else None
