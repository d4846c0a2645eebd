"""Live updates: a change of a customer's data refreshes the tabs that show it, as one push mechanism for all."""

from uuid import UUID

import reflex as rx
import structlog

from portal_app.domain.errors import PortalError
from portal_app.infra.live import Change
from portal_app.state.identity import Identity
from portal_app.state.tabs import TABS, Tab
from portal_app.wiring import portal

_log = structlog.get_logger(__name__)


async def push_changes(app: rx.App) -> None:
    """Refresh open tabs for ever; runs once in every web process."""
    async for change in portal().live.changes():
        for tab in TABS.of(str(change.user_id)):
            try:
                await _push(app, tab, change)
            except Exception:
                # The outermost door of the push loop: one broken tab must not silence all others.
                _log.exception("live.push_failed", topic=change.topic)


async def _push(app: rx.App, tab: Tab, change: Change) -> None:
    if app.event_namespace is None or tab.token not in app.event_namespace.token_to_sid:
        TABS.forget(tab.token)
        return
    if change.topic == "session":
        if change.id == tab.session_id:
            await _end(app, tab)
        return
    page = tab.page
    if page is None or change.topic not in getattr(page, "topics", ()):
        return
    try:
        await portal().sessions.check(UUID(tab.session_id))
    except PortalError:
        await _end(app, tab)
        return
    async with app.modify_state(rx.BaseStateToken(ident=tab.token, cls=page)) as root:
        identity = await root.get_state(Identity)
        if identity._session_id == tab.session_id:
            state = await root.get_state(page)
            await state.refresh()


async def _end(app: rx.App, tab: Tab) -> None:
    TABS.forget(tab.token)
    async with app.modify_state(rx.BaseStateToken(ident=tab.token, cls=Identity)) as root:
        identity = await root.get_state(Identity)
        identity.signed_in, identity.name, identity.must_reload = False, "", True
