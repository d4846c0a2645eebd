"""Live updates: a change of a customer's data refreshes the tabs that show it, as one push mechanism for all."""

import asyncio
from uuid import UUID

import reflex as rx
import structlog

from portal_app.domain.errors import PortalError
from portal_app.infra.redis.live import Change
from portal_app.state.shell.notice_count import NoticeCount
from portal_app.state.shell.session import PageSession, show_account
from portal_app.state.shell.tabs import TABS, Tab
from portal_app.wiring.portal import portal

# With the time it takes to tell a tab, an end shows within five seconds even when no push arrives.
_LOOK_SECONDS = 3
# More than these at once would only wait for each other.
_AT_ONCE = 16
# What the frame of every page shows: the bell, the name.
_EVERYWHERE = frozenset({"notices", "account"})
_log = structlog.get_logger(__name__)


async def push_changes(app: rx.App) -> None:
    """Refresh open tabs for ever; runs once in every web process. One that waits for a vendor holds up no other."""
    room = asyncio.Semaphore(_AT_ONCE)
    async with asyncio.TaskGroup() as pushes:
        async for change in portal().live.changes():
            if change.topic == "session":
                portal().identity.sessions.forget_session(UUID(change.id))
            for tab in TABS.tabs_of_user(str(change.user_id)):
                pushes.create_task(_push_in_turn(room, app, tab, change))


async def watch_sessions(app: rx.App) -> None:
    """End open tabs whose session ran out, or whose end nobody could push, for ever; once in every web process."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            over = await portal().identity.sessions.ended_among({UUID(each) for each in TABS.sessions()})
            for tab in TABS.of_sessions({str(each) for each in over}):
                await _end(app, tab)
        except PortalError as error:
            # The guard lets nothing happen in such a tab meanwhile.
            _log.warning("live.not_watched", error=type(error).__name__)
        except Exception:
            # The outermost door of the watch: one broken tab must not end it.
            _log.exception("live.watch_failed")


async def _push_in_turn(room: asyncio.Semaphore, app: rx.App, tab: Tab, change: Change) -> None:
    async with room:
        try:
            await _push(app, tab, change)
        except Exception:
            # The outermost door of the pushes: one broken tab must not silence all others.
            _log.exception("live.push_failed", topic=change.topic)


async def _push(app: rx.App, tab: Tab, change: Change) -> None:
    if not _is_open(app, tab):
        TABS.forget(tab.token)
        return
    if change.topic == "session":
        if change.id == tab.session_id:
            await _end(app, tab)
        return
    page: type[rx.State] | None = tab.page
    if page is not None and change.topic not in getattr(page, "topics", ()):
        page = None
    if page is None and change.topic not in _EVERYWHERE:
        return
    try:
        await portal().identity.sessions.require_live(UUID(tab.session_id), is_use=False)
    except PortalError:
        await _end(app, tab)
        return
    async with app.modify_state(rx.BaseStateToken(ident=tab.token, cls=page or NoticeCount)) as root:
        identity = await root.get_state(PageSession)
        if identity._session_id != tab.session_id:
            return
        if change.topic == "notices":
            await (await root.get_state(NoticeCount)).refresh()
        if change.topic == "account":
            await show_account(identity, change.user_id)
        if page is not None:
            state = await root.get_state(page)
            problem = state.problem
            await state.refresh()
            if not (state.shown or state.missing or state.setting_up or state.problem):
                # It had nothing to show either: what is told stays, with the way to try again.
                state.problem = problem


async def _end(app: rx.App, tab: Tab) -> None:
    TABS.forget(tab.token)
    if not _is_open(app, tab):
        return
    async with app.modify_state(rx.BaseStateToken(ident=tab.token, cls=PageSession)) as root:
        identity = await root.get_state(PageSession)
        identity.signed_in, identity.name, identity.must_reload = False, "", True


def _is_open(app: rx.App, tab: Tab) -> bool:
    return app.event_namespace is not None and tab.token in app.event_namespace.token_to_sid
