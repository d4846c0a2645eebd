"""The open tabs of this web process: whose they are and which page they show."""

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
    """Remember tabs by their client token, the oldest forgotten first."""

    def __init__(self) -> None:
        self._by_token: dict[str, Tab] = {}

    def seen(self, token: str, *, user_id: str, session_id: str, page: type[rx.State] | None) -> None:
        """Note an event of a tab; without a page the one it had stays."""
        before = self._by_token.pop(token, None)
        kept = page or (before.page if before and before.session_id == session_id else None)
        self._by_token[token] = Tab(token, user_id, session_id, kept)
        if len(self._by_token) > _MOST:
            del self._by_token[next(iter(self._by_token))]

    def tabs_of_user(self, user_id: str) -> list[Tab]:
        """Return a user's tabs."""
        return [tab for tab in self._by_token.values() if tab.user_id == user_id]

    def sessions(self) -> set[str]:
        """Return the sessions that have tabs here."""
        return {tab.session_id for tab in self._by_token.values()}

    def of_sessions(self, session_ids: set[str]) -> list[Tab]:
        """Return the tabs of some sessions."""
        return [tab for tab in self._by_token.values() if tab.session_id in session_ids]

    def forget(self, token: str) -> None:
        """Forget a tab that is gone."""
        self._by_token.pop(token, None)


TABS = Tabs()
