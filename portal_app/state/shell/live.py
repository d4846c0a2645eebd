"""Live updates: a change of a customer's data refreshes the open tabs that show it."""

import asyncio
from typing import Any
from uuid import UUID

import reflex as rx
import structlog

from portal_app.domain.errors import PortalError
from portal_app.infra.redis.live import EVERYBODY, INCIDENTS, Change
from portal_app.infra.tasks.current_customer import working_for
from portal_app.state.shell.notice_count import NoticeCount
from portal_app.state.shell.session import PageSession, show_account
from portal_app.state.shell.tabs import TABS, Tab
from portal_app.wiring.portal import portal

# With the time an update takes, a tab shows the end of its session within five seconds even when no push arrives.
_CHECK_SECONDS = 3
_SESSIONS_PER_QUERY = 1000
# More pushes at once would only wait for each other.
_AT_ONCE = 16
# Topics of the frame of every page: the bell, the name.
_FRAME_TOPICS = frozenset({"notices", "account"})
_log = structlog.get_logger(__name__)


async def push_changes(app: rx.App) -> None:
    """Refresh open tabs for ever; runs once in every web process. A tab that waits for a vendor delays no other."""
    slots = asyncio.Semaphore(_AT_ONCE)
    async with asyncio.TaskGroup() as pushes:
        async for change in portal().live.changes():
            if change.topic == "session":
                portal().identity.sessions.forget_session(UUID(change.id))
            if change.topic == INCIDENTS:
                portal().status.announcements.forget()
            everybody = change.user_id == EVERYBODY
            for tab in TABS.tabs_on(change.topic) if everybody else TABS.tabs_of_user(str(change.user_id)):
                pushes.create_task(_push_within(slots, app, tab, change))


async def watch_sessions(app: rx.App) -> None:
    """Reload open tabs whose session has ended, for ever; runs once in every web process.

    This covers sessions that ran out, and ends whose push was lost.
    """
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        try:
            await _end_dead_sessions(app)
        except PortalError as error:
            # Meanwhile the guard refuses every event of such a tab.
            _log.warning("live.not_watched", error=type(error).__name__)
        except Exception:
            # The last handler of the loop: one broken tab must not end it.
            _log.exception("live.watch_failed")


async def _end_dead_sessions(app: rx.App) -> None:
    sessions = TABS.sessions()
    for first in range(0, len(sessions), _SESSIONS_PER_QUERY):
        batch = {UUID(each) for each in sessions[first : first + _SESSIONS_PER_QUERY]}
        for session_id in await portal().identity.sessions.ended_among(batch):
            for tab in TABS.tabs_of_session(str(session_id)):
                await _end(app, tab)


async def _push_within(slots: asyncio.Semaphore, app: rx.App, tab: Tab, change: Change) -> None:
    async with slots:
        try:
            with working_for(tab.user_id):
                await _push(app, tab, change)
        except Exception:
            # The last handler of a push: one broken tab must not stop the others.
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
    if page is None and change.topic not in _FRAME_TOPICS:
        return
    try:
        await portal().identity.sessions.require_live(UUID(tab.session_id), is_use=False)
    except PortalError:
        await _end(app, tab)
        return
    part: Any = getattr(page, "parts", {}).get(change.topic)
    async with app.modify_state(rx.BaseStateToken(ident=tab.token, cls=part or page or NoticeCount)) as root:
        identity = await root.get_state(PageSession)
        if identity._session_id != tab.session_id:
            return
        if change.topic == "notices":
            await (await root.get_state(NoticeCount)).refresh()
        if change.topic == "account":
            await show_account(identity, change.user_id)
        if part is not None:
            await (await root.get_state(part)).refresh()
        elif page is not None:
            state: Any = await root.get_state(page)
            problem = state.problem
            await state.refresh()
            if not (state.shown or state.missing or state.setting_up or state.problem):
                # It has nothing to show now either: the problem stays, with the button to try again.
                state.problem = problem


async def _end(app: rx.App, tab: Tab) -> None:
    TABS.forget(tab.token)
    if not _is_open(app, tab):
        return
    async with app.modify_state(rx.BaseStateToken(ident=tab.token, cls=PageSession)) as root:
        identity = await root.get_state(PageSession)
        identity.signed_in, identity.must_reload = False, True
        identity.name = identity.japanese_name = ""


def _is_open(app: rx.App, tab: Tab) -> bool:
    return app.event_namespace is not None and tab.token in app.event_namespace.token_to_sid
