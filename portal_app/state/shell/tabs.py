"""The open tabs of this web process: whose they are and which page they show."""

from collections import defaultdict
from dataclasses import dataclass

import reflex as rx

_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Tab:
    """One open tab. `page` is the state class whose `load` ran last."""

    token: str
    user_id: str
    session_id: str
    page: type[rx.State] | None


class Tabs:
    """Remember at most so many tabs by their client token, and forget the one that was quiet for longest first."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._by_token: dict[str, Tab] = {}
        # Every change of a customer's data asks for their tabs: nobody walks through all of them for that.
        self._by_user: defaultdict[str, dict[str, Tab]] = defaultdict(dict)
        self._by_session: defaultdict[str, dict[str, Tab]] = defaultdict(dict)

    def record_event(self, token: str, *, user_id: str, session_id: str, page: type[rx.State] | None) -> None:
        """Record an event of a tab. Without a page it keeps the one it had in the same session."""
        before = self._by_token.get(token)
        kept = page or (before.page if before and before.session_id == session_id else None)
        self.forget(token)
        tab = Tab(token, user_id, session_id, kept)
        self._by_token[token] = self._by_user[user_id][token] = self._by_session[session_id][token] = tab
        if len(self._by_token) > self._most:
            self.forget(next(iter(self._by_token)))

    def tabs_of_user(self, user_id: str) -> list[Tab]:
        """Return a user's tabs."""
        return list(self._by_user.get(user_id, {}).values())

    def tabs_on(self, topic: str) -> list[Tab]:
        """Return everybody's tabs whose page follows a topic."""
        return [tab for tab in self._by_token.values() if topic in getattr(tab.page, "topics", ())]

    def tabs_of_session(self, session_id: str) -> list[Tab]:
        """Return the tabs of a session."""
        return list(self._by_session.get(session_id, {}).values())

    def sessions(self) -> list[str]:
        """Return the sessions that have tabs here."""
        return list(self._by_session)

    def forget(self, token: str) -> None:
        """Forget a tab that is closed."""
        tab = self._by_token.pop(token, None)
        if tab is not None:
            _drop(self._by_user, tab.user_id, token)
            _drop(self._by_session, tab.session_id, token)


def _drop(index: defaultdict[str, dict[str, Tab]], key: str, token: str) -> None:
    del index[key][token]
    if not index[key]:
        del index[key]


TABS = Tabs()
